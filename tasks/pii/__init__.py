"""Finding and removing personal data in texts.

`find` and `redact` look at one text, `redact_transcript` at a conversation in order. A text

1. is done at once when it has no digit, `@` or `::` (`finding`);
2. is made plain: digits, dashes, spaces of any script, nothing invisible (`normal`);
3. is read by each of `detectors`: around an `@` (`emails`), at dots and colons
   (`ip_addresses`), at two letters and check digits (`ibans`), and at runs of digits (`numbers`),
   where dates, cards, SSNs and phones are tried in this order by shape and evidence, of which
   the nearest word (`context`, `topics`) is the strongest;
4. gets back the findings in its own offsets, the longest where some overlap.

A kind of personal data is added by a module with a detector, a kind of number by one with rules.
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
