"""What holds for every text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.pii import ENTITIES, find, redact
from tasks.pii.normal import normal
from tests.unit.pii import found, stays

_LINES = [
    line.replace("«", "").replace("»", "")
    for cases in (found.CASES, stays.CASES)
    for text in cases.values()
    for line in text.strip().split("\n")
]
_DENSE = "0123456789 .-+()@:/xab\n\u0661\uff10\u200b\u2010\u00a0,#"
_ODD = st.characters(categories=["Nd", "No", "Cf", "Zs", "Pd", "Me", "Mn", "Cs", "Lo", "Ll"])

texts = st.one_of(
    st.text(st.characters(categories=None), max_size=60),
    st.text(_DENSE, max_size=80),
    st.text(st.one_of(_ODD, st.sampled_from(_DENSE)), max_size=60),
    st.lists(st.sampled_from(_LINES), min_size=1, max_size=4).map(" ".join),
)
asked = st.sampled_from([None, *ENTITIES, "reference", "account", "loyalty"])


@given(texts, asked)
def test_findings_are_in_order_inside_of_the_text_and_disjoint(
    text: str, asked: str | None
) -> None:
    end = 0
    for finding in find(text, asked=asked):
        assert end <= finding.start < finding.end <= len(text)
        assert finding.entity in ENTITIES
        end = finding.end


@given(texts, asked)
def test_nothing_outside_of_findings_changes(text: str, asked: str | None) -> None:
    kept, end = [], 0
    for finding in find(text, asked=asked):
        kept.append(re.escape(text[end : finding.start]))
        end = finding.end
    pattern = re.escape("[REDACTED]").join([*kept, re.escape(text[end:])])
    assert re.fullmatch(pattern, redact(text, asked=asked))


@given(texts)
def test_what_is_found_is_found_alone_in_its_plain_form(text: str) -> None:
    plain = normal(text)
    in_plain = [(plain.span(each.start, each.end), each.entity) for each in find(plain.text)]
    assert [((each.start, each.end), each.entity) for each in find(text)] == in_plain


@settings(derandomize=True, max_examples=500)
@given(texts)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(texts)
def test_places_of_a_plain_text_map_back(text: str) -> None:
    plain = normal(text)
    for at, char in enumerate(plain.text):
        start, end = plain.span(at, at + 1)
        assert end == start + 1
        assert normal(text[start:end]).text == char


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("٢१２", "212"),
        ("1\u20102\u22123\u20144", "1-2-3-4"),
        ("1\u00a02\u20093\u30004", "1 2 3 4"),
        ("1\u200b2\u20603\ufeff4\u00ad5", "12345"),
        ("1\ufe0f\u20e32\ufe0f\u20e3", "12"),
        ("ａ＠ｂ．ｃｏ（＋", "a@b.co(+"),
        ("é日本\ud800½", "é日本\ud800½"),
    ],
)
def test_other_scripts_are_made_plain(text: str, plain: str) -> None:
    assert normal(text).text == plain
