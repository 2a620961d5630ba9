"""Finding and removing personal data in texts.

`find` and `redact` look at one text, `redact_transcript` at a conversation in order.
"""

from __future__ import annotations

from tasks.pii.finding import PLACEHOLDER, Detects, find, redact, replace
from tasks.pii.findings import ENTITIES, Entity, Finding
from tasks.pii.transcripts import Redacted, redact_transcript

__all__ = [
    "ENTITIES",
    "PLACEHOLDER",
    "Detects",
    "Entity",
    "Finding",
    "Redacted",
    "find",
    "redact",
    "redact_transcript",
    "replace",
]
