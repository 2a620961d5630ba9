"""E-mail addresses, each looked for around its `@` or the word that somebody wrote for it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.pii.context import said_of
from tasks.pii.findings import Finding

#: Characters of a local part (RFC 5321), of which those are left out that join an address to what
#: stands before it, as `=` and `/` do.
_LOCAL_LENGTH = 64
_LOCAL = re.compile(r"(?<![\w.+-])\w[\w.%+'~*-]{0,63}\Z")
_LABEL = r"[\w-]{1,63}+"
_TOP = r"[^\W\d_][\w-]{1,62}"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.){{1,8}}{_TOP}")

#: "at" between spaces is a word of any sentence, in brackets it is an `@`.
_AT = re.compile(r" ?[(\[{<] ?at ?[)\]}>] ?|(?P<word> at )", re.IGNORECASE)
_DOT = r"(?: ?[(\[{<] ?dot ?[)\]}>] ?| dot |\.)"
_JOINT = r"(?: (?:dot|underscore|dash|hyphen|plus) |[.+-])"
_SPELLED_LOCAL = re.compile(
    rf"(?<![\w.+-])(?:\w{{1,32}}{_JOINT}){{0,3}}\w{{1,64}}\Z", re.IGNORECASE
)
_SPELLED_DOMAIN = re.compile(
    rf"(?P<host>{_LABEL})(?:{_DOT}{_LABEL}){{0,3}}{_DOT}"
    r"(?:com|net|org|edu|gov|info|biz|io|ai|co|me|uk|us|ca|au|de|fr|es|it|nl|be|ch|at|pt|in|eu)\b",
    re.IGNORECASE,
)
_PROVIDERS = re.compile(
    r"gmail|googlemail|y(?:ahoo|mail)|hotmail|outlook|live|msn|icloud|aol|gmx|proton(?:mail)?",
    re.IGNORECASE,
)


def find_emails(text: str, _asked: str | None) -> Iterator[Finding]:
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1)
        local = domain and _LOCAL.search(text, max(0, at - _LOCAL_LENGTH), at)
        if local and domain:
            yield Finding(start=local.start(), end=domain.end(), entity="email")
        at = text.find("@", at + 1)


def may_spell_an_email(text: str) -> bool:
    """Return whether "at" occurs in `text` as it does in "name at example dot com"."""
    lower = text.lower()
    return " at " in lower or "at)" in lower or "at]" in lower


def find_spelled_emails(text: str, asked: str | None) -> Iterator[Finding]:
    for at in _AT.finditer(text) if may_spell_an_email(text) else ():
        domain = _SPELLED_DOMAIN.match(text, at.end())
        local = domain and _SPELLED_LOCAL.search(text, max(0, at.start() - 128), at.start())
        if local and domain and (not at["word"] or _is_meant(text, local, domain, asked)):
            yield Finding(start=local.start(), end=domain.end(), entity="email")


def _is_meant(text: str, local: re.Match[str], domain: re.Match[str], asked: str | None) -> bool:
    """Whether "x at y dot z" is an address and no place: a mailbox's host, or a word says so."""
    if _PROVIDERS.fullmatch(domain["host"]) and " dot " in domain[0].lower():
        return True
    return "email" in (asked, said_of(text, local.start(), domain.end()).topic)
