"""Classes of queues, the lists of a queue, and what a worker asks for."""

from __future__ import annotations

from typing import Any

import pytest
from kombu.transport import redis as stock

from workers.limits.priority import CLASSES, LEFT_TO_OTHERS, class_of, in_order, lists, offered


@pytest.mark.parametrize(
    ("queue", "expected"),
    [
        ("attributes", "live"),
        ("attributes.acme", "live"),
        ("celery", "live"),
        ("merge", "normal"),
        ("sync.acme", "normal"),
        ("deploy", "normal"),
        ("redact.acme", "batch"),
        ("sweep", "batch"),
    ],
)
def test_a_queue_has_the_class_of_its_kind(queue: str, expected: str) -> None:
    assert class_of(queue) == expected


def test_the_lists_of_a_queue_are_those_that_kombu_writes_to() -> None:
    channel: Any = stock.Channel.__new__(stock.Channel)
    steps = channel.priority_steps
    assert lists("merge") == [channel._q_for_pri("merge", step) for step in steps]


@pytest.mark.parametrize(
    ("slots", "free", "classes"),
    [
        (8, 0, 0),
        (8, 1, 1),
        (8, 2, 2),
        (8, 3, 3),
        (8, 8, 3),
        (1, 1, 3),
        (1, 0, 0),
        (2, 1, 3),
        (4, 1, 2),
        (4, 2, 3),
        (100, 12, 1),
        (100, 13, 2),
        (100, 25, 2),
        (100, 26, 3),
        (8, -1, 0),
    ],
)
def test_a_worker_keeps_slots_free_for_more_urgent_classes(
    slots: int, free: int, classes: int
) -> None:
    assert offered(slots, free) == classes


@pytest.mark.parametrize("slots", range(1, 65))
def test_a_worker_asks_for_more_classes_the_more_is_free_and_for_all_when_idle(slots: int) -> None:
    told = [offered(slots, free) for free in range(slots + 1)]
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, len(CLASSES))


def test_queues_are_asked_for_by_class_and_otherwise_as_they_came() -> None:
    queues = ["sweep", "merge.b", "attributes.b", "redact", "merge.a", "celery", "attributes.a"]
    assert in_order(queues) == [
        "attributes.b", "celery", "attributes.a", "merge.b", "merge.a", "sweep", "redact",
    ]  # fmt: skip


def test_the_less_urgent_a_class_the_more_of_a_budget_it_leaves_to_others() -> None:
    assert LEFT_TO_OTHERS == {"live": 0.0, "normal": 0.1, "batch": 0.2}
