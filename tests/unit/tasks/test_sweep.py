"""A sweep: one page a message, every interaction once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from tasks.apis.genesys import Genesys, Interaction, InteractionPage, Kept
from tasks.apis.systems import Systems
from tasks.errors import Failed, Rejected
from tasks.fields import MAX_ID, is_identifier
from tasks.mapping import SyncRules
from tasks.messages import RedactCompleted, SweepPage, parse
from tasks.operations import FollowUp, Outcome, child_id
from tasks.sweep import START, redact_completed, sweep_page
from tests.unit.tasks.fakes import FakeNewest

NOW = datetime(2026, 1, 31, tzinfo=UTC)


class Pages:
    """Interactions of one page each per cursor; the cursor is the next page's number."""

    def __init__(self, *pages: Sequence[str]) -> None:
        self.pages = pages
        self.asked: list[Mapping[str, Any]] = []

    def completed_interactions(
        self, *, since: datetime | None, until: datetime, page_size: int, cursor: str | None
    ) -> InteractionPage:
        self.asked.append({"since": since, "until": until, "size": page_size, "cursor": cursor})
        at = int(cursor or 0)
        following = str(at + 1) if at + 1 < len(self.pages) else None
        return InteractionPage(ids=self.pages[at], next_cursor=following)

    def read_interaction(self, interaction_id: str) -> Interaction:
        raise AssertionError(f"a sweep reads no {interaction_id}")

    def keep_redacted(self, interaction: Interaction, messages: object) -> Kept:
        raise AssertionError(f"a sweep writes no {interaction.id}: {messages}")


def start(genesys: Pages, **arguments: Any) -> Outcome:
    return redact_completed(parse(RedactCompleted, arguments), genesys, NOW)


def go_on(genesys: Pages, follow_up: FollowUp, own_id: str) -> Outcome:
    """Send the next page's message over the queue, as the runner does."""
    arguments = {**follow_up.message.arguments(), "operation_id": own_id}
    return sweep_page(parse(SweepPage, arguments), genesys)


def test_all_pages_name_what_they_send_after_the_sweep() -> None:
    genesys = Pages(["a", "b"], ["c"], ["d"])
    first = start(genesys, page_size=2)
    assert [each.id_after("s") for each in first.follow_ups] == ["s:a", "s:b", "s:page-2"]
    second = go_on(genesys, first.follow_ups[-1], "s:page-2")
    assert [each.id_after("s:page-2") for each in second.follow_ups] == ["s:c", "s:page-3"]
    third = go_on(genesys, second.follow_ups[-1], "s:page-3")
    assert [each.id_after("s:page-3") for each in third.follow_ups] == ["s:d"]
    assert [each.status for each in (first, second, third)] == ["accepted", "accepted", "done"]
    assert (third.detail["page"], third.detail["found"]) == (3, 4)


def test_a_page_read_twice_sends_the_same_operations() -> None:
    genesys = Pages(["a"], ["b"])
    page = start(genesys).follow_ups[-1]
    assert go_on(genesys, page, "s:page-2") == go_on(genesys, page, "s:page-2")


def test_the_end_of_its_time_is_fixed_at_the_start() -> None:
    genesys = Pages(["a"], ["b"])
    first = start(genesys, until=(NOW + timedelta(days=1)).isoformat())
    go_on(genesys, first.follow_ups[-1], "s:page-2")
    assert [each["until"] for each in genesys.asked] == [NOW, NOW]


def test_a_sweep_that_is_repeated_sends_what_it_sent_before() -> None:
    systems = Systems(
        genesys=cast(Genesys, Pages(["a"], ["b"])),
        customers=None,
        sync=SyncRules(),
        newest=FakeNewest(first_claim=NOW),
        started=NOW,
    )
    message = parse(RedactCompleted, {})
    first, again = (START.use_case(message, systems).follow_ups for _ in range(2))
    assert first == again


def test_an_empty_sweep_is_a_noop() -> None:
    outcome = start(Pages([]))
    assert (outcome.status, outcome.follow_ups) == ("noop", ())


def test_an_id_is_sent_once_and_an_unsafe_one_never() -> None:
    outcome = start(Pages(["a", "a", "../b"]))
    assert [each.suffix for each in outcome.follow_ups] == ["a"]
    assert outcome.detail["unusable_ids"] == 1


def test_a_cursor_that_stands_still_ends_the_sweep() -> None:
    genesys = Pages(["a"], ["b"], ["c"])
    page = start(genesys).follow_ups[-1]
    stuck = page.message.model_copy(update={"cursor": "1", "operation_id": "s:page-2"})
    genesys.completed_interactions = lambda **_: InteractionPage(ids=[], next_cursor="1")  # type: ignore[method-assign]
    assert isinstance(stuck, SweepPage)
    with pytest.raises(Failed, match="cursor stands still after page 2"):
        sweep_page(stuck, genesys)


@pytest.mark.parametrize("parent", ["s", "s" * 60, "s" * MAX_ID])
@pytest.mark.parametrize("suffix", ["page-2", "i" * 90, "i" * MAX_ID])
def test_the_id_of_a_follow_up_is_an_id(parent: str, suffix: str) -> None:
    name = child_id(parent, suffix)
    assert is_identifier(name)
    assert name == child_id(parent, suffix)
    assert name != child_id(parent + "x", suffix)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"page_size": 0}, "page_size: "),
        ({"page_size": 101}, "page_size: "),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "since: must be"),
        ({"since": "yesterday"}, "since: "),
    ],
)
def test_bad_sweeps_are_refused(arguments: dict[str, Any], line: str) -> None:
    with pytest.raises(Rejected, match=f"^{line}"):
        parse(RedactCompleted, arguments)
