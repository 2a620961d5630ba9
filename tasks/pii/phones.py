"""Phone numbers: international (E.164), national as written in many countries, or just digits."""

from __future__ import annotations

import re

from tasks.pii.numbers import END, SEPARATORS, Number, Rule

_EXTENSION = r"(?:[ ,;-]{0,2}(?i:x|ext|extn|extension|durchwahl|poste)[ .:]{0,2}[0-9]{1,6})?"
_ENDS = _EXTENSION + END


def _shape(*forms: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(forms)}){_ENDS}")


_INTERNATIONAL = _shape(
    rf"\(?\+ ?\(?[1-9](?:{SEPARATORS}[0-9]){{6,14}}",
    rf"00[1-9](?:[0-9]{{0,2}}{SEPARATORS}[0-9]{{2,}}){{2,5}}",
)
_NATIONAL = _shape(
    # North America, with the 1 before it or not
    r"(?:(?:001|1)[ .-]{1,3})?(?:\([0-9]{3}\)[ -]{0,2}|[0-9]{3}[ ./-]{1,3})"
    r"[0-9]{3}[ .-]{1,3}[0-9]{4}",
    # a trunk 0 and at least two groups
    rf"(?=\(?0[0-9]*[ ./()-])(?!0\.)\(?0{SEPARATORS}[1-9](?:{SEPARATORS}[0-9]){{7,10}}",
    # an area code in brackets
    r"\([0-9]{2,5}\)[ -]{0,2}[0-9](?:[ .-]?[0-9]){5,8}",
    # China's mobile numbers, India's
    r"1[3-9][0-9]([ -])[0-9]{4}\1[0-9]{4}",
    r"[6-9][0-9]{4}[ -][0-9]{5}",
)
#: In one group or two, as people type them.
_TYPED = _shape(r"[0-9]{10,11}", r"(?=[0-9 ]{11}\b)[0-9]{3,6} [0-9]{4,7}")
_ANYHOW = _shape(
    r"\(?[0-9]{10,15}",
    rf"\(?[0-9](?:{SEPARATORS}[0-9]){{6,14}}",
    r"[0-9]{2} [0-9]{2} [0-9]{2}",
)
#: Seconds since 1970, of the years 2014 to 2033.
_EPOCH = re.compile(r"1[4-9][0-9]{8}\Z")


def _is_written_so(number: Number) -> bool:
    return _is_expected(number) or not (
        number.is_labelled_other_than("phone") or number.is_part_of_a_code
    )


def _is_expected(number: Number) -> bool:
    return number.topic == "phone"


def _is_reply(number: Number) -> bool:
    return number.is_reply and not _EPOCH.match(number.digits)


#: A `+` is written before nothing else; what else looks like a phone may be called otherwise.
RULES = (
    Rule(entity="phone", shape=_INTERNATIONAL, holds=lambda _: True),
    Rule(entity="phone", shape=_NATIONAL, holds=_is_written_so),
    Rule(entity="phone", shape=_TYPED, holds=_is_reply),
    Rule(entity="phone", shape=_ANYHOW, holds=_is_expected, only_expected=True),
)
