"""The error policy, row by row: every operation meets every answer, once and always.

Each cell asserts the calls that were made, how long the message waited, Celery's states, the
result, the audit record and the dead letter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.cluster import Cluster
from tests.support.configuration import CONFIGURATION
from tests.support.cranked import CrankedWorker, Turn
from workers.policy import DAY


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An operation, the call that decides it, and the one effect that this call has, if any.

    `reads_back` says that a repeated run sees that the call has taken effect; `timeout` is the
    setting that bounds the call.
    """

    task: str
    queue: str
    arguments: Callable[[Cluster], dict[str, Any]]
    system: str
    method: str
    route: str
    effect: str | None
    reads_back: bool = True
    timeout: str = "TIMEOUTS__WRITE"


@dataclass(frozen=True, kw_only=True)
class Row:
    """An answer to the call, and what comes of it when it is met once and always.

    `waits` bounds (seconds) how long the message goes back for, try by try; `renewals` counts the
    calls that are repeated at once with a renewed token; `takes_effect` says that the call is
    carried out all the same; `patience` is the call's timeout in seconds, where it matters.
    """

    name: str
    fault: dict[str, Any]
    once: str = "rejected"
    always: str = "rejected"
    waits: tuple[tuple[float, float], ...] = ()
    renewals: int = 0
    takes_effect: bool = False
    patience: float | None = None


def doubling(first: float, tries: int, longest: float) -> tuple[tuple[float, float], ...]:
    """Return the bounds of an exponential backoff whose jitter takes away up to a half."""
    full = [min(first * 2**n, longest) for n in range(tries - 1)]
    return tuple((wait / 2, wait) for wait in full)


def _live_conversation(cluster: Cluster) -> dict[str, Any]:
    conversation = cluster.sandbox.ids("conversations", state="active")[0]
    return {"conversation_id": conversation, "attributes": {"tier": "gold"}}


def _profiles(cluster: Cluster) -> dict[str, Any]:
    target, *sources = cluster.sandbox.ids("profiles")[:3]
    return {"source_profile_ids": sources, "target_profile_id": target}


def _completed_chat(cluster: Cluster) -> dict[str, Any]:
    for interaction in cluster.sandbox.ids("interactions", state="completed"):
        messages = cluster.sandbox.get("interactions", interaction)["messages"]
        if any("@" in message["text"] for message in messages):
            return {"interaction_id": interaction}
    raise AssertionError("no seeded chat holds an e-mail address")


SUBJECTS = (
    Subject(
        task="set_attributes",
        queue="attributes",
        arguments=_live_conversation,
        system="genesys",
        method="PATCH",
        route="/api/v2/conversations/voice/participants/{participantId}",
        effect="participant.attributes",
    ),
    Subject(
        task="merge_profiles",
        queue="merge",
        arguments=_profiles,
        system="genesys",
        method="POST",
        route="/api/v2/identity/profiles/merge",
        effect="profiles.merged",
        timeout="TIMEOUTS__MERGE",
    ),
    Subject(
        task="sync_profile",
        queue="sync",
        arguments=lambda cluster: {"contact_id": cluster.sandbox.ids("contacts")[0]},
        system="cxone",
        method="PUT",
        route="/api/v2/customers/{customerId}/attributes",
        effect="customer.attributes",
        reads_back=False,
    ),
    Subject(
        task="merge_and_sync",
        queue="merge",
        arguments=_profiles,
        system="genesys",
        method="POST",
        route="/api/v2/identity/profiles/merge",
        effect="profiles.merged",
        timeout="TIMEOUTS__MERGE",
    ),
    Subject(
        task="deploy_config",
        queue="deploy",
        arguments=lambda _: {"organization_ids": ["org-001"], "config": CONFIGURATION},
        system="genesys",
        method="PUT",
        route="/api/v2/webchat/organizations/{orgId}/configurations",
        effect="configuration.put",
    ),
    Subject(
        task="redact_interaction",
        queue="redact",
        arguments=_completed_chat,
        system="genesys",
        method="PATCH",
        route="/api/v2/interactions/{id}",
        effect="interaction.redacted",
    ),
    Subject(
        task="redact_completed",
        queue="sweep",
        arguments=lambda _: {"until": "2025-01-15T06:00:00Z"},
        system="genesys",
        method="POST",
        route="/api/v2/interactions/query",
        effect=None,
        reads_back=False,
        timeout="TIMEOUTS__READ",
    ),
)

CONFLICT: dict[str, Any] = {
    "once": "done",
    "always": "conflict",
    "waits": doubling(0.5, tries=5, longest=8),
}
UNKNOWN: dict[str, Any] = {
    "once": "done",
    "always": "failed",
    "waits": doubling(1, tries=8, longest=300),
}


def _status(status: int) -> dict[str, Any]:
    return {"kind": "status", "status": status}


ROWS = (
    Row(name="302", fault=_status(302)),
    Row(name="400", fault=_status(400)),
    Row(name="401", fault=_status(401), once="done", renewals=1),
    Row(name="403", fault=_status(403)),
    Row(name="404", fault=_status(404)),
    Row(name="408", fault=_status(408), **UNKNOWN),
    Row(name="409", fault=_status(409), **CONFLICT),
    Row(name="422", fault=_status(422)),
    Row(name="500", fault=_status(500), **UNKNOWN),
    Row(name="502", fault=_status(502), **UNKNOWN),
    Row(name="503", fault=_status(503), **UNKNOWN),
    Row(name="504", fault=_status(504), **UNKNOWN),
    Row(name="reset before the effect", fault={"kind": "reset_before"}, **UNKNOWN),
    Row(name="reset after it", fault={"kind": "reset_after"}, takes_effect=True, **UNKNOWN),
    Row(name="answer cut off", fault={"kind": "truncated_body"}, takes_effect=True, **UNKNOWN),
    Row(
        name="answer too late",
        fault={"kind": "latency_after", "seconds": 5},
        takes_effect=True,
        patience=0.3,
        **UNKNOWN,
    ),
    Row(
        name="answer too slow",
        fault={"kind": "slow_body", "seconds": 5},
        takes_effect=True,
        patience=0.3,
        **UNKNOWN,
    ),
)


@pytest.fixture(params=SUBJECTS, ids=lambda subject: subject.task)
def subject(request: pytest.FixtureRequest) -> Subject:
    chosen: Subject = request.param
    return chosen


@pytest.fixture(params=ROWS, ids=lambda row: row.name)
def row(request: pytest.FixtureRequest) -> Row:
    chosen: Row = request.param
    return chosen


@pytest.fixture(autouse=True)
def patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the call's timeout to what the row says, before the app reads its settings."""
    chosen = request.node.callspec.params
    if "row" in chosen and chosen["row"].patience is not None:
        monkeypatch.setenv(chosen["subject"].timeout, str(chosen["row"].patience))


def _meet(
    cluster: Cluster, cranked: CrankedWorker, subject: Subject, times: int | None, fault: Any
) -> list[Turn]:
    """Let the operation meet `fault` at its call so many times, and return its turns."""
    where = {"system": subject.system, "method": subject.method, "route": subject.route}
    cluster.sandbox.fault(**where, **fault, times=times)
    cranked.send(subject.task, subject.arguments(cluster), subject.queue, task_id="op-1")
    return cranked.drain(subject.queue)


def _assert_ended(cluster: Cluster, cranked: CrankedWorker, turns: list[Turn], status: str) -> None:
    """Assert Celery's state, the result, the audit record and the dead letter of the end."""
    services = cranked.app.services
    well = status == "done"
    assert [turn.state for turn in turns[:-1]] == ["RETRY"] * (len(turns) - 1)
    assert turns[-1].state == ("SUCCESS" if well else "FAILURE")
    assert services.app.backend.get_state("op-1") == turns[-1].state
    (record,) = services.audit.records("default")
    assert (record["status"], record["attempts"]) == (status, len(turns))
    letters = [(letter.id, letter.status) for letter in services.dead_letters.letters()]
    assert letters == ([] if well else [("default:op-1", status)])


def _assert_waits(turns: list[Turn], row: Row) -> None:
    for turn, (least, most) in zip(turns[1:], row.waits, strict=False):
        assert least - 0.5 <= turn.waited <= most


def _calls(cluster: Cluster, subject: Subject) -> int:
    return len(cluster.sandbox.journal(method=subject.method, route=subject.route))


def _assert_effects(cluster: Cluster, subject: Subject, expected: int) -> None:
    if subject.effect:
        assert len(cluster.sandbox.effects(kind=subject.effect)) == expected


def test_an_answer_that_is_met_once(
    cluster: Cluster, cranked: CrankedWorker, subject: Subject, row: Row
) -> None:
    turns = _meet(cluster, cranked, subject, 1, row.fault)
    seen = row.takes_effect and subject.reads_back
    status = "done" if seen else row.once
    _assert_ended(cluster, cranked, turns, status)
    _assert_waits(turns, row)
    assert len(turns) == (2 if row.waits else 1)
    repeats = 1 if row.renewals or (row.waits and not seen) else 0
    assert _calls(cluster, subject) == 1 + repeats
    effects = (status != "rejected") + (row.takes_effect and not seen)
    _assert_effects(cluster, subject, effects)


def test_an_answer_that_is_met_always(
    cluster: Cluster, cranked: CrankedWorker, subject: Subject, row: Row
) -> None:
    turns = _meet(cluster, cranked, subject, None, row.fault)
    seen = row.takes_effect and subject.reads_back
    _assert_ended(cluster, cranked, turns, "done" if seen else row.always)
    _assert_waits(turns, row)
    tries = 1 if seen else 1 + len(row.waits) + row.renewals
    assert _calls(cluster, subject) == tries
    carried_out = tries if row.takes_effect else 0
    _assert_effects(cluster, subject, carried_out)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [({"Retry-After": "20"}, 19, 20), ({}, 4, 5), ({"Retry-After": "0"}, 0, 0.5)],
    ids=["seconds", "none", "zero"],
)
def test_a_429_waits_as_long_as_the_server_says_and_uses_up_no_try(
    cluster: Cluster,
    cranked: CrankedWorker,
    subject: Subject,
    headers: dict[str, str],
    least: float,
    most: float,
) -> None:
    fault = {"kind": "status", "status": 429, "headers": headers}
    turns = _meet(cluster, cranked, subject, 12, fault)
    _assert_ended(cluster, cranked, turns, "done")
    assert len(turns) == _calls(cluster, subject) == 13
    assert all(least <= turn.waited <= most for turn in turns[1:])
    _assert_effects(cluster, subject, 1)


def test_a_429_that_lasts_for_a_day_ends_as_failed(
    cluster: Cluster, cranked: CrankedWorker, subject: Subject
) -> None:
    where = {"system": subject.system, "method": subject.method, "route": subject.route}
    cluster.sandbox.fault(**where, kind="status", status=429, times=None)
    cranked.send(subject.task, subject.arguments(cluster), subject.queue, task_id="op-1")
    first = cranked.crank(subject.queue)
    begun = float(cluster.redis.hget("gw:operation:default:op-1", "first_at") or 0)
    cluster.redis.hset("gw:operation:default:op-1", "first_at", str(int(begun - DAY * 1000)))
    cluster.redis.delete(f"gw:pause:default:{subject.system}")
    assert first is not None
    _assert_ended(cluster, cranked, [first, *cranked.drain(subject.queue)], "failed")
