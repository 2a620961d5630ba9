"""One detector per kind of personal data: a pattern for candidates and a check of each.

Every pattern looks at a character a bounded number of times, so that time grows with the length of
the text and never faster, whatever the text is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tasks.pii import checksums, context
from tasks.pii.findings import Entity, Finding

Spans = Iterator[tuple[int, int]]

MAX_LOCAL_PART = 64
LUHN_LENGTHS = range(13, 20)

_LOCAL_END = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}\Z")
_DOMAIN = re.compile(r"[\w-]{1,63}+(?:\.[\w-]{1,63}+)++")
_V4 = re.compile(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?!\w|\.[0-9])")
_V6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,39}+(?:(?:\.[0-9]{1,3}){3})?")
_IBAN = re.compile(r"(?<!\w)[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}+")
_CARD = re.compile(
    r"(?<!\w)(?:[0-9]{4}([ .-])[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}(?:\1[0-9]{3})?"
    r"|[0-9]{4}([ .-])[0-9]{6}\2[0-9]{4,5}"
    r"|[0-9]{12,19})(?!\w)"
)
_SSN = re.compile(r"(?<![\w-])(?:[0-9]{3}([ -])[0-9]{2}\1[0-9]{4}|[0-9]{9})(?!\w|-[0-9])")
_EXTENSION = r"(?:,? ?(?:x|ext\.?|extension) ?[0-9]{1,6})?"
_PHONE = re.compile(
    r"(?<![\w.,+-])(?:"
    rf"(?P<world>\+[0-9]{{1,3}}(?:[ ./()-]{{0,2}}[0-9]){{6,13}}+{_EXTENSION})"
    rf"|(?P<us>(?:1[ .-]?)?(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}[ .-])[2-9][0-9]{{2}}[ .-]"
    rf"[0-9]{{4}}{_EXTENSION})"
    rf"|(?P<bare>\(?[0-9](?:[ ./()-]{{0,2}}[0-9]){{6,14}}+{_EXTENSION})"
    r")(?!\w|[.-][0-9])",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Detector:
    """Finds the spans of one entity; `spans` gets the text and what the other side asked for."""

    entity: Entity
    spans: Callable[[str, str | None], Spans]

    def find(self, text: str, asked: str | None) -> Iterator[Finding]:
        for start, end in self.spans(text, asked):
            yield Finding(start=start, end=end, entity=self.entity)


def _emails(text: str, _: str | None) -> Spans:
    at = text.find("@")
    while at >= 0:
        local = _LOCAL_END.search(text, max(0, at - MAX_LOCAL_PART), at)
        domain = _DOMAIN.match(text, at + 1)
        if local and domain:
            yield local.start(), domain.end()
        at = text.find("@", at + 1)


def _ip_addresses(text: str, _: str | None) -> Spans:
    for match in _V4.finditer(text):
        if checksums.is_ip_address(match[0]):
            yield match.span()
    for match in _V6.finditer(text):
        shown = match[0] if match[0].endswith("::") else match[0].rstrip(":")
        if checksums.is_ip_address(shown):
            yield match.start(), match.start() + len(shown)


def _ibans(text: str, _: str | None) -> Spans:
    for match in _IBAN.finditer(text):
        ends = [at for at in range(match.start(), match.end()) if text[at].isalnum()]
        length = checksums.IBAN_LENGTHS.get(match[0][:2].upper(), 0)
        if 0 < length <= len(ends):
            end = ends[length - 1] + 1
            if checksums.is_iban(_alphanumeric(text[match.start() : end])):
                yield match.start(), end


def _cards(text: str, asked: str | None) -> Spans:
    for match in _CARD.finditer(text):
        digits = _digits(match[0])
        checked = len(digits) in LUHN_LENGTHS and checksums.luhn(digits) and digits[0] in "3456"
        said = _said(text, match.start(), asked)
        if said == "credit_card" or (checked and said != "reference"):
            yield match.span()


def _ssns(text: str, asked: str | None) -> Spans:
    for match in _SSN.finditer(text):
        written_so = match[1] is not None
        said = _said(text, match.start(), asked)
        expected = said == "ssn" or (written_so and said != "reference")
        if expected and checksums.is_ssn(_digits(match[0])):
            yield match.span()


def _phones(text: str, asked: str | None) -> Spans:
    for match in _PHONE.finditer(text):
        said = _said(text, match.start(), asked)
        if match["world"] or said == "phone" or (match["us"] and said != "reference"):
            yield match.span()


def _said(text: str, start: int, asked: str | None) -> str | None:
    """The word nearest to a number decides; without one it answers the question before."""
    return context.nearest(text, start) or asked


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _alphanumeric(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


#: Where two findings overlap, that of the earlier detector counts.
DETECTORS = (
    Detector(entity="email", spans=_emails),
    Detector(entity="iban", spans=_ibans),
    Detector(entity="ip_address", spans=_ip_addresses),
    Detector(entity="credit_card", spans=_cards),
    Detector(entity="ssn", spans=_ssns),
    Detector(entity="phone", spans=_phones),
)
