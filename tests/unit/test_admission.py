"""The terms of queues, as they are worked out and as the script reads them."""

from __future__ import annotations

import json

import pytest

from tasks.catalogue import OPERATIONS
from tasks.messages import (
    DeployConfig,
    MergeAndSync,
    MergeProfiles,
    Message,
    RedactCompleted,
    RedactInteraction,
    SetAttributes,
)
from tests.support.configuration import CONFIGURATION
from workers.limits.admission import USUAL_CALLS, Budget, Terms, burst, cell, known, terms_of
from workers.limits.priority import CLASSES
from workers.limits.rates import DEFAULT_QUEUE
from workers.transport.claims import Question

LIMITS = {"default": {"genesys": 300, "cxone": 60}, "acme": {"genesys": 2}}


def at_five(_: str) -> float:
    return 5.0


@pytest.mark.parametrize(
    ("rate", "interval", "at_once"),
    [(100.0, 10_000, 10), (2.0, 500_000, 2), (1 / 60, 60_000_000, 2), (205.0, 4_878, 21)],
)
def test_a_rate_is_an_interval_and_what_falls_into_a_tenth_of_a_second(
    rate: float, interval: int, at_once: int
) -> None:
    assert cell(rate) == {"interval": interval, "burst": at_once}
    assert burst(rate) == at_once


def test_no_rate_is_no_interval() -> None:
    assert cell(None) == {"interval": 0, "burst": 1}


def test_the_highest_rate_that_can_be_written_is_not_taken_for_none() -> None:
    """999999999/s is a rate that settings accept; an interval of 0 would switch it off."""
    assert cell(999_999_999.0)["interval"] >= 1


def test_the_terms_of_a_queue_name_its_tenants_budgets() -> None:
    assert terms_of("sync", at_five, LIMITS) == Terms(
        queue="sync",
        rate=5.0,
        budgets=(Budget(name="default:cxone", calls=1, limit=60),),
    )


def test_no_more_is_reserved_than_the_budget_and_nothing_where_there_is_none() -> None:
    merge, sync = terms_of("merge.acme", at_five, LIMITS), terms_of("sync.acme", at_five, LIMITS)
    assert merge.budgets == (Budget(name="acme:genesys", calls=2, limit=2),)
    assert sync.budgets == ()
    assert terms_of("merge.other", at_five, LIMITS).budgets == ()


def test_the_default_queue_has_neither_rate_nor_budget() -> None:
    assert terms_of(DEFAULT_QUEUE, at_five, LIMITS) == Terms(queue=DEFAULT_QUEUE, rate=None)


def test_every_operation_has_usual_calls() -> None:
    assert {operation.queue for operation in OPERATIONS} <= USUAL_CALLS.keys()


@pytest.mark.parametrize(
    "message",
    [
        SetAttributes(conversation_id="c-1", attributes={"tier": "gold"}),
        MergeProfiles(source_profile_ids=["p-1"], target_profile_id="p-2"),
        MergeAndSync(source_profile_ids=["p-1"], target_profile_id="p-2"),
        DeployConfig.model_validate({"organization_ids": ["o-1"], "config": CONFIGURATION}),
        RedactInteraction(interaction_id="i-1"),
        RedactCompleted(),
    ],
    ids=lambda message: message.task,
)
def test_what_is_reserved_at_the_claim_is_what_the_smallest_message_calls(message: Message) -> None:
    operation = next(each for each in OPERATIONS if each.task == message.task)
    assert USUAL_CALLS[operation.queue] == {"genesys": operation.calls(message)}


@pytest.mark.parametrize(("queue", "left"), [("attributes", 0.0), ("redact.acme", 0.2)])
def test_the_script_reads_plain_numbers(queue: str, left: float) -> None:
    read = json.loads(json.dumps(terms_of(queue, at_five, LIMITS).as_script_reads()))
    tenant = "acme" if "." in queue else "default"
    assert (read["queue"], read["tenant"], read["interval"]) == (queue, tenant, 200_000)
    assert [each[3] for each in read["budgets"]] == [left]
    assert all(isinstance(count, int) for each in read["budgets"] for count in each[1:3])


def test_queues_that_hold_no_work_have_no_terms() -> None:
    terms = {"merge": Terms(queue="merge", rate=None)}
    assert known(["merge", "host.celery.pidbox"], terms) == [terms["merge"]]


@pytest.mark.parametrize(
    ("queues", "last"),
    [
        (["attributes", "celery", "merge", "redact"], [2, 3, 4]),
        (["redact", "sweep"], [0, 0, 2]),
        (["merge"], [0, 1, 1]),
    ],
)
def test_a_question_says_where_each_class_ends(queues: list[str], last: list[int]) -> None:
    terms = [Terms(queue=queue, rate=None) for queue in queues]
    question = Question(worker="w", lease=1.5, terms=terms)
    worker, lease, idle, *_ = arguments = question.arguments(len(CLASSES), idle=True)
    assert (worker, lease, idle) == ("w", 1500, "idle")
    assert arguments[7:10] == last
    assert len(question.keys) == 5 * len(queues)
    assert len(arguments) == 10 + len(queues)
