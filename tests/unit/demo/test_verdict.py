from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pytest

from workers.demo.effects import Effect, merged, redacted
from workers.demo.errand import DONE, Errand, FollowUp, Happening
from workers.demo.plan import Plan, Planned, told
from workers.demo.verdict import Verdict, judge

EFFECT = merged("default", "target", ["source"], "target_wins")
PLAN = Plan(
    planned=(
        Planned(
            errand=Errand(
                task="merge_and_sync",
                queue="merge",
                arguments={},
                endings=DONE,
                effects=(EFFECT,),
                follow_ups=(FollowUp(suffix="sync", task="sync_profile"),),
            ),
            operation_id="o-1",
            message_ids=("m-1", "m-2"),
            named=True,
            by_us=False,
        ),
    )
)
RECORDED = ("o-1", "o-1:sync")
STRANGE = redacted("acme", "i-1", 2, [])
ENDED = {"m-1": "done", "m-2": "done", "o-1:sync": "noop"}


def judged(
    ended: Mapping[str, str] = ENDED,
    effects: Iterable[Effect] = (EFFECT,),
    recorded: Collection[str] = RECORDED,
    parked: Iterable[str] = (),
) -> Verdict:
    return judge(PLAN, ended=ended, effects=effects, recorded=recorded, parked=parked)


def test_what_came_as_planned_is_good() -> None:
    verdict = judged()
    assert verdict.good
    assert (verdict.messages, verdict.told, verdict.effects) == (3, 0, 1)


def test_messages_that_came_from_events_are_counted() -> None:
    happening = Happening(subject="c-1", value="at:1")
    errand = Errand(task="sync_profile", queue="sync", arguments={}, happening=happening)
    planned = told(errand, happening)
    plan = Plan(planned=(*PLAN.planned, planned))
    ended = {**ENDED, planned.operation_id: "done"}
    recorded = (*RECORDED, planned.operation_id)
    verdict = judge(plan, ended=ended, effects=(EFFECT,), recorded=recorded, parked=())
    assert (verdict.good, verdict.messages, verdict.told) == (True, 4, 1)


def test_a_message_that_no_task_can_take_has_a_dead_letter_and_no_record() -> None:
    errand = Errand(task="make_coffee", queue="sync", arguments={}, recorded=False)
    planned = Planned(
        errand=errand, operation_id="o-3", message_ids=("o-3",), named=False, by_us=False
    )
    plan = Plan(planned=(planned,))
    assert judge(plan, ended={"o-3": "done"}, effects=(), recorded=(), parked=("o-3",)).good


@pytest.mark.parametrize(
    ("differing", "problem"),
    [
        (
            {"ended": {"m-1": "done", "o-1:sync": "noop"}},
            "message m-2 (merge_and_sync): lost, it has neither result nor dead letter",
        ),
        (
            {"ended": {"m-1": "done", "m-2": "done"}},
            "message o-1:sync (sync_profile): lost, it has neither result nor dead letter",
        ),
        (
            {"ended": {**ENDED, "m-2": "failed"}},
            "message m-2 (merge_and_sync): ended as failed, expected done",
        ),
        ({"effects": ()}, f"effect missing, 1 times: {EFFECT}"),
        ({"effects": (EFFECT, EFFECT, EFFECT)}, f"effect too much, 2 times: {EFFECT}"),
        (
            {"effects": (EFFECT, STRANGE)},
            f"effect too much, 1 times: {STRANGE}",
        ),
        ({"recorded": (*RECORDED, "o-2")}, "audit: o-2 was never asked for"),
        ({"recorded": ("o-1",)}, "audit: operation o-1:sync (sync_profile) has no record"),
        ({"recorded": ("o-1:sync",)}, "audit: operation o-1 (merge_and_sync) has no record"),
        ({"parked": ("m-3",)}, "dead letters: m-3 was never asked for"),
    ],
)
def test_what_is_missing_or_too_much_is_listed(differing: dict[str, Any], problem: str) -> None:
    assert judged(**differing).problems == (problem,)
