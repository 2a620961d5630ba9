"""Find and remove personal data in one text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from tasks.pii.context import BLANK, PLACEHOLDER
from tasks.pii.detectors import DETECTORS, is_worth_a_look
from tasks.pii.findings import Finding
from tasks.pii.normal import Normal, normal


class Detects(Protocol):
    """A further kind of personal data: a tenant's own, or names."""

    def find(self, text: str, asked: str | None) -> Iterable[Finding]:
        """Yield what is in `text`, in its offsets; `asked` as for `find`."""


def find(
    text: str,
    entities: Collection[str] | None = None,
    *,
    asked: str | None = None,
    also: Sequence[Detects] = (),
) -> list[Finding]:
    """Return the personal data in `text`, in order, without overlaps.

    `entities` names what is looked for (all without it), `asked` what the other side's last
    question was about (an entity, or `reference` for an order number and the like). `also` are
    further detectors; where findings overlap the longest counts, of equal ones the earlier
    detector's, those of this package first.
    """
    if not (also or is_worth_a_look(text, asked)):
        return []
    found = _built_in(normal(text), asked)
    more = [each for detector in also for each in detector.find(text, asked)]
    if entities is not None:
        found, more = ([each for each in some if each.entity in entities] for some in (found, more))
    return _longest([*found, *more]) if more else found


def redact(text: str, entities: Collection[str] | None = None, *, asked: str | None = None) -> str:
    """Return `text` with `[REDACTED]` in place of each finding."""
    findings = find(text, entities, asked=asked)
    return replace(text, findings) if findings else text


def replace(
    text: str,
    findings: Iterable[Finding],
    placeholder: Callable[[Finding, str], str] = lambda _finding, _value: PLACEHOLDER,
) -> str:
    """Return `text` with what `placeholder` says of finding and value in place of each of the
    ordered `findings`.
    """
    kept: list[str] = []
    end = 0
    for finding in findings:
        kept += text[end : finding.start], placeholder(finding, text[finding.start : finding.end])
        end = finding.end
    return "".join(kept) + text[end:]


def _built_in(plain: Normal, asked: str | None) -> list[Finding]:
    """Return what the detectors find, each in what those before it have left."""
    text = plain.text
    found: list[Finding] = []
    for detector in DETECTORS:
        if more := list(detector(text, asked)):
            text = replace(text, more, lambda _, value: BLANK * len(value))
            found += more
    return sorted((_in_original(each, plain) for each in found), key=lambda each: each.start)


def _in_original(finding: Finding, plain: Normal) -> Finding:
    if plain.places is None:
        return finding
    start, end = plain.span(finding.start, finding.end)
    return Finding(start=start, end=end, entity=finding.entity)


def _longest(found: list[Finding]) -> list[Finding]:
    """Return the findings in order; of overlapping ones the longest, then the earlier listed."""
    chosen: list[Finding] = []
    taken = bytearray(max(each.end for each in found))
    for finding in sorted(found, key=lambda each: each.start - each.end):
        if not any(taken[finding.start : finding.end]):
            taken[finding.start : finding.end] = b"\1" * (finding.end - finding.start)
            chosen.append(finding)
    return sorted(chosen, key=lambda each: each.start)
