"""Patterns that a tenant may use: never slow, never empty."""

from __future__ import annotations

import time

import pytest

from tasks.pii.linear import Unfit, compiled

FIT = [
    r"\bMEM-\d{6,10}\b",
    r"(?i)acme[ -]?\d{1,12}",
    r"\d{1,4}[ -]?\d{1,4}[ -]?\d{1,4}",
    r"(?:\d{4}[ -]?){3}\d{4}",
    r"(?<!\w)[A-Z]{2}\d{7}(?!\w)",
    r"(?:red|green|blue)-\d{3}",
    r"(?>a{1,20})b",
    r"[A-Za-z0-9._-]{1,64}@acme\.com",
]

UNFIT = {
    r"(a": "does not compile",
    r"a{2,1}": "does not compile",
    "(" * 1_000 + "a" + ")" * 1_000: "does not compile",
    r"\b": "could match the empty text",
    r"a?": "could match the empty text",
    r"(?=a)": "could match the empty text",
    r"\d{0,9}": "could match the empty text",
    r"x|": "could match the empty text",
    r"\d+": "without an upper bound",
    r"a\w*": "without an upper bound",
    r"a{3,}": "without an upper bound",
    r"(?:a+)+b": "without an upper bound",
    r"(?=\d+)1": "without an upper bound",
    r"(\d)\1": "refers back",
    r"(a)?(?(1)b|c)": "refers back",
    r"(?:a{1,64}){1,64}b": "could take more than 1,000 steps",
    r"a{1,40}a{1,40}b": "could take more than 1,000 steps",
    r"(?:a|a){20}b": "could take more than 1,000 steps",
    r"(?:a?){30}a{30}": "could take more than 1,000 steps",
    r"(?:(?:){1,400000}){1,400000}a": "could take more than 1,000 steps",
    r"(?=(?:a|a){20}b)a": "could take more than 1,000 steps",
}


@pytest.mark.parametrize("pattern", FIT)
def test_a_bounded_pattern_is_used(pattern: str) -> None:
    assert compiled(pattern).pattern == pattern


@pytest.mark.parametrize("pattern", UNFIT, ids=lambda pattern: pattern[:24])
def test_another_is_refused_with_the_reason(pattern: str) -> None:
    with pytest.raises(Unfit, match=UNFIT[pattern]):
        compiled(pattern)


@pytest.mark.parametrize("pattern", [*FIT, r"a{1,30}a{1,15}b", r"(?:aa?){1,6}b"])
def test_what_is_used_is_quick_on_hostile_texts(pattern: str) -> None:
    found = compiled(pattern)
    for filler in ("a", "1", "aa1", "1 ", "A", "MEM-", "a@"):
        text = filler * (100_000 // len(filler))
        started = time.process_time()
        list(found.finditer(text))
        assert time.process_time() - started < 5.0
