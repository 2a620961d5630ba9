"""Find and remove personal data in one text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable

from tasks.pii.detectors import DETECTORS
from tasks.pii.findings import Finding
from tasks.pii.widths import narrow

PLACEHOLDER = "[REDACTED]"

#: Without any of these a text holds nothing that a detector knows; most messages have none.
_WORTH_A_LOOK = re.compile(r"[0-9@]|::")


def find(
    text: str, entities: Collection[str] | None = None, *, asked: str | None = None
) -> list[Finding]:
    """Return the personal data in `text`, in order, without overlaps.

    `entities` names what is looked for (all without it), `asked` what the other side's last
    question was about (an entity, or `reference` for an order number and the like).
    """
    plain = narrow(text)
    if not _WORTH_A_LOOK.search(plain):
        return []
    found: list[Finding] = []
    for detector in DETECTORS:
        _add(found, detector.find(plain, asked))
    return [each for each in found if entities is None or each.entity in entities]


def redact(text: str, entities: Collection[str] | None = None, *, asked: str | None = None) -> str:
    """Return `text` with `[REDACTED]` in place of each finding."""
    return replace(text, find(text, entities, asked=asked))


def replace(text: str, findings: Iterable[Finding]) -> str:
    """Return `text` with `[REDACTED]` in place of each of the ordered `findings`."""
    kept: list[str] = []
    end = 0
    for finding in findings:
        kept += text[end : finding.start], PLACEHOLDER
        end = finding.end
    return "".join(kept) + text[end:]


def _add(found: list[Finding], more: Iterable[Finding]) -> None:
    """Insert into the ordered `found` what overlaps nothing that is there."""
    for finding in more:
        at = bisect_left(found, finding.start, key=lambda each: each.start)
        before_next = at == len(found) or finding.end <= found[at].start
        if before_next and (at == 0 or found[at - 1].end <= finding.start):
            found.insert(at, finding)
