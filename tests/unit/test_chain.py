"""Whoever alters, drops, swaps, repeats or inserts a record of a chain breaks it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.auditing.audit import Ends
from workers.auditing.audit_check import STREAM, Anchors, Checked, check
from workers.consuming.chain import Broken, Head, Link, digest, link

COUNT = 8


def chain(count: int = COUNT) -> list[Link]:
    links: list[Link] = []
    for number in range(count):
        links.append(link(links[-1].head if links else Head(), {"status": "done", "n": number}))
    return links


def bare(links: Sequence[Link]) -> list[Link]:
    """Return the records as a stream has them: without the hash before."""
    return [replace(each, before=None) for each in links]


def in_redis(
    stream: Sequence[Link], *, head: Head | None = None, keep: int = 1000, **files: Sequence[Link]
) -> Checked:
    """Check what stands in the stream and in files; the head is that of an untouched chain."""
    first = stream[0].number if stream else 0
    ends = Ends(head=chain()[-1].head if head is None else head, first=first)
    return check({STREAM: stream, **files}, Anchors(ends=ends, keep=keep))


def broken(checked: Checked) -> tuple[int, str]:
    assert checked.broken is not None, "intact"
    return checked.broken.number, checked.broken.why


def altered(record: Link) -> Link:
    return Link.stored(record.text.replace("done", "noop"), record.head.hash)


def rehashed(record: Link, before: str) -> Link:
    text = record.text.replace("done", "noop")
    return Link.stored(text, digest(before, text))


LINKS = bare(chain())
ONE, TWO, THREE, *_ = LINKS

TAMPERED = {
    "altered": ([ONE, TWO, altered(THREE), *LINKS[3:]], 3, "its text or its hash was altered"),
    "altered first": ([altered(ONE), *LINKS[1:]], 1, "its text or its hash was altered"),
    "altered with its hash": (
        [ONE, TWO, rehashed(THREE, TWO.head.hash), *LINKS[3:]],
        4,
        "its text or its hash was altered",
    ),
    "hash replaced": (
        [ONE, Link.stored(TWO.text, "0" * 64), *LINKS[2:]],
        2,
        "its text or its hash was altered",
    ),
    "renumbered": (
        [ONE, Link.stored(THREE.text.replace("3", "2", 1), THREE.head.hash)],
        2,
        "its text or its hash was altered",
    ),
    "dropped": ([ONE, *LINKS[2:]], 2, "missing from its place"),
    "dropped several": ([ONE, *LINKS[4:]], 2, "missing from its place, and all to 4"),
    "swapped": ([ONE, THREE, TWO, *LINKS[3:]], 2, "stands after record 3 in the stream: reordered"),
    "swapped far": ([ONE, *LINKS[2:6], TWO, *LINKS[6:]], 2, "stands after record 6"),
    "swapped first": ([TWO, ONE, *LINKS[2:]], 1, "stands after record 2"),
    "repeated": ([ONE, TWO, TWO, *LINKS[2:]], 2, "stands twice in the stream"),
    "inserted": (
        [ONE, TWO, Link.stored('{"number":3,"status":"false"}', digest("", "x")), *LINKS[2:]],
        3,
        "its text or its hash was altered",
    ),
    "no record": ([ONE, Link.stored("nonsense", "x"), *LINKS[2:]], 2, "stands what is no record"),
    "head truncated": (
        LINKS[3:],
        1,
        "missing from its place, and all to 3 from the stream, though it keeps 1000",
    ),
    "tail truncated": (LINKS[:-2], 7, "missing: the head says that 8 is the last"),
    "all gone": ([], 1, "missing: the head says that 8 is the last"),
    "last replaced": (
        [*LINKS[:-1], rehashed(LINKS[-1], LINKS[-2].head.hash)],
        8,
        "the head has another hash",
    ),
    "head set back": (
        [*LINKS, *bare([link(LINKS[-1].head, {"more": 1})])],
        9,
        "stands in the stream, the chain ends before",
    ),
}


@pytest.mark.parametrize(("stream", "number", "why"), TAMPERED.values(), ids=TAMPERED)
def test_the_first_record_that_is_not_what_was_written_is_named(
    stream: Sequence[Link], number: int, why: str
) -> None:
    found = broken(in_redis(stream))
    assert found[0] == number
    assert why in found[1]


def test_an_untouched_chain_is_intact_and_what_nobody_can_know_is_said() -> None:
    checked = in_redis(LINKS)
    assert checked.broken is None
    assert (checked.records, checked.first, checked.last.number) == (COUNT, 1, COUNT)
    (unknown,) = checked.unknown
    assert "somebody who can write to Redis" in unknown


def test_a_tenant_without_a_record_is_intact() -> None:
    checked = in_redis([], head=Head())
    assert (checked.broken, checked.records) == (None, 0)


def test_a_rewritten_chain_is_told_by_a_file_and_by_nothing_else() -> None:
    forged: list[Link] = []
    for each in chain():
        before = forged[-1].head.hash if forged else ""
        forged.append(rehashed(each, before))
    head = forged[-1].head
    assert in_redis(forged, head=head).broken is None
    found = broken(in_redis(forged, head=head, file=chain()[4:6]))
    assert found == (5, "differs between the stream and file")


def test_newest_records_that_were_removed_with_the_head_are_told_by_a_file() -> None:
    kept = LINKS[:5]
    assert in_redis(kept, head=kept[-1].head).broken is None
    found = broken(in_redis(kept, head=kept[-1].head, file=chain()))
    assert found == (6, "stands in file, the chain ends before, says its head")


def test_a_stream_that_lost_a_record_with_all_traces_is_told_by_a_file() -> None:
    found = broken(in_redis([ONE, TWO, *LINKS[3:]], file=chain()))
    assert found == (3, "stands in file and is missing from the stream")


def test_files_hold_what_was_trimmed() -> None:
    trimmed = LINKS[4:]
    alone = in_redis(trimmed, keep=4)
    assert alone.broken is None
    assert [each.split(",")[0] for each in alone.unknown[:2]] == [
        "whether record 5",
        "what the 4 records said that were trimmed before",
    ]
    both = in_redis(trimmed, keep=4, a=chain()[::2], b=chain()[1::2])
    assert (both.broken, both.first, both.unknown) == (None, 1, [])
    gap = in_redis(trimmed, keep=4, a=[chain()[0], *chain()[2:]])
    assert broken(gap) == (2, "missing from its place")


def test_records_in_no_file_are_counted_and_no_fault() -> None:
    checked = in_redis(LINKS, file=[each for each in chain() if each.number not in (3, 6)])
    assert checked.broken is None
    (unknown,) = checked.unknown
    assert "2 records that stand in no file, the first of them 3" in unknown


@pytest.mark.parametrize(
    ("file", "number", "why"),
    [
        (chain()[3:], None, ""),
        ([chain()[3], *chain()[5:]], 5, "missing from its place"),
        ([chain()[3], chain()[5], chain()[4]], 5, "stands after record 6 in file: reordered"),
        ([replace(chain()[3], text='{"number":4}')], 4, "its text or its hash was altered"),
        (
            [*chain()[3:5], replace(chain()[5], before="0" * 64)],
            6,
            "names another hash before it in file",
        ),
    ],
)
def test_a_file_is_checked_without_redis(
    file: Sequence[Link], number: int | None, why: str
) -> None:
    checked = check({"file": file}, None)
    assert "whether records followed after" in checked.unknown[-1] if number is None else True
    assert (checked.broken.number if checked.broken else None) == number
    assert (why in checked.broken.why) if checked.broken else True


@pytest.mark.parametrize(
    ("checkpoints", "number", "why"),
    [
        ({}, 1000, "its checkpoint is missing"),
        ({1000: "0" * 64}, 1000, "its checkpoint has another hash"),
        ({1000: "right", 2000: "x"}, 1003, "missing, as there is a checkpoint of record 2000"),
        ({1000: "right"}, None, ""),
    ],
)
def test_checkpoints_are_held_against_the_records(
    checkpoints: dict[int, str], number: int | None, why: str
) -> None:
    links = chain(1002)
    kept = {n: links[n - 1].head.hash if h == "right" else h for n, h in checkpoints.items()}
    ends = Ends(head=links[-1].head, first=1, checkpoints=kept)
    checked = check({STREAM: bare(links)}, Anchors(ends=ends, keep=5000))
    assert (checked.broken and checked.broken.number) == number
    assert why in str(checked.broken)


def test_a_checkpoint_vouches_for_the_first_record_of_a_trimmed_stream() -> None:
    links = chain(1003)
    ends = Ends(head=links[-1].head, first=1001, checkpoints={1000: links[999].head.hash})
    stream = bare(links)[1000:]
    assert check({STREAM: stream}, Anchors(ends=ends, keep=3)).broken is None
    forged = [altered(stream[0]), *stream[1:]]
    assert broken(check({STREAM: forged}, Anchors(ends=ends, keep=3)))[0] == 1001


@given(data=st.data(), count=st.integers(2, 12))
def test_no_change_of_the_order_or_number_of_records_passes(
    data: st.DataObject, count: int
) -> None:
    links = bare(chain(count))
    places = st.lists(st.integers(0, count - 1), max_size=count + 2)
    chosen = data.draw(places.filter(lambda each: each != list(range(count))))
    checked = in_redis([links[place] for place in chosen], head=links[-1].head)
    first_wrong = next(
        (at for at, place in enumerate(chosen) if place != at), min(len(chosen), count)
    )
    assert checked.broken is not None
    assert checked.broken.number <= first_wrong + 1


@given(text=st.text(), number=st.integers(0, 5))
def test_no_text_in_the_place_of_a_record_passes(text: str, number: int) -> None:
    links = bare(chain(6))
    head, digest_of_it = links[-1].head, links[number].head.hash
    links[number] = Link.stored(text, digest_of_it)
    checked = in_redis(links, head=head)
    assert checked.broken is not None
    assert checked.broken.number == number + 1


def test_a_head_that_is_none_is_said() -> None:
    with pytest.raises(Broken, match="the stored head is none"):
        Head.parse("nonsense")
