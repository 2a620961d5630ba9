"""Finding and removing personal data in texts.

`find` and `redact` look at one text, `redact_transcript` at a conversation in order. A text

1. is done at once when it has no run of digits, `@` or colons (`detectors`), as most have none;
2. is made plain: digits, dashes, spaces of any script, nothing invisible (`normal`);
3. is read by one detector after the other, each of which sees blanks where one before it has
   found something: around an `@` (`emails`), at colons and dots (`ip_addresses`), at two letters
   and check digits (`ibans`), at runs of digits (`numbers`), where `dates`, `cards`, `ssns` and
   `phones` are tried in this order, and at the `last_four` digits where they were asked for. A
   number is told by its shape, and above all by the nearest word (`context`, `topics`);
4. gets back the findings in its own offsets (`finding`).

A kind of personal data is added by a module with a detector, a kind of number by one with rules.
"""

from __future__ import annotations

from tasks.pii.context import PLACEHOLDER
from tasks.pii.finding import Detects, find, redact, replace
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
