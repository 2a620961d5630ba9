"""`rates`: what operators set is in force at the next claim, on every connection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from tests.support.cluster import Cluster
from tests.support.raw_messages import raw
from tests.support.tenants import tenant, tenants_file
from workers.app import Services
from workers.cli.main import MISUSED, run
from workers.cli.rates import operator
from workers.limits.overrides import Overrides
from workers.transport.claims import Claimed

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def cluster(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster of two tenants, to which this process' environment leads."""
    tenants = {name: tenant(cluster.sandbox, name) for name in ("default", "acme")}
    cluster.environment["TENANTS_FILE"] = tenants_file(cluster.folder, **tenants)
    for name, value in cluster.variables().items():
        monkeypatch.setenv(name, value)
    return cluster


@pytest.fixture
def worker(cluster: Cluster) -> Iterator[Services]:
    """What claims messages, as a worker that was started before the command ran."""
    services = cluster.app().services
    yield services
    services.close()


def claim(worker: Services, *queues: str) -> str | None:
    """Return the queue of the message that the worker is given, None without one."""
    question = worker.question(queues)
    assert question is not None
    claimed = worker.claims.claim(question)
    return claimed.queue if isinstance(claimed, Claimed) else None


def send(redis: Redis, queue: str, count: int = 1) -> None:
    for _ in range(count):
        redis.lpush(queue, raw([[], {}, {}]))


@pytest.mark.parametrize(
    "back", ["rates set merge=9999/s", "rates reset merge", "rates reset"], ids=lambda line: line
)
def test_a_rate_holds_from_the_next_claim_on_and_a_faster_one_at_once_again(
    worker: Services, redis: Redis, back: str
) -> None:
    send(redis, "merge", 5)
    assert claim(worker, "merge") == "merge"
    assert run(["rates", "set", "merge=1/h"]) == 0
    assert [claim(worker, "merge") for _ in range(3)] == ["merge", "merge", None]
    assert run(back.split()) == 0
    assert [claim(worker, "merge") for _ in range(2)] == ["merge", "merge"]


def test_a_rate_is_of_one_queue_of_one_tenant(worker: Services, redis: Redis) -> None:
    send(redis, "merge", 3)
    send(redis, "merge.acme", 3)
    assert run(["rates", "set", "merge.acme=1/h"]) == 0
    granted = [claim(worker, "merge", "merge.acme") for _ in range(6)]
    assert granted.count("merge") == 3
    assert granted.count("merge.acme") == 2


def test_a_paused_tenants_messages_wait_and_others_go_on(worker: Services, redis: Redis) -> None:
    send(redis, "merge")
    send(redis, "merge.acme")
    assert run(["rates", "pause", "acme"]) == 0
    assert [claim(worker, "merge.acme", "merge") for _ in range(2)] == ["merge", None]
    assert run(["rates", "resume", "acme"]) == 0
    assert claim(worker, "merge.acme", "merge") == "merge.acme"


def test_the_default_tenants_pause_leaves_the_queue_of_all_tenants_alone(
    worker: Services, redis: Redis
) -> None:
    send(redis, "celery")
    assert run(["rates", "pause", "default"]) == 0
    assert claim(worker, "celery") == "celery"


def test_each_command_says_in_one_line_what_it_did(cluster: Cluster, capsys: Captured) -> None:
    expected = {
        "set merge=1/s sync.acme=30/m": "set: merge 1/s (was 9999/s), sync.acme 30/m (was 9999/s)",
        "set merge=7/m": "set: merge 7/m (was 1/s)",
        "reset merge": "reset: merge 9999/s",
        "reset merge sync.acme": "reset: sync.acme 9999/s",
        "reset": "nothing was set: the settings are in force",
        "pause acme": "acme is paused; to let it go on: ",
        "resume acme": "acme goes on",
        "resume default": "default was not paused",
    }
    for arguments, line in expected.items():
        assert run(["rates", *arguments.split()]) == 0
        said = capsys.readouterr().out
        assert said.startswith(line), arguments
        assert said.count("\n") == 1


def test_the_list_tells_rates_and_who_has_set_them(worker: Services, capsys: Captured) -> None:
    run(["rates", "set", "merge=90/m"])
    run(["rates", "pause", "acme"])
    capsys.readouterr()
    assert run(["rates"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rows: dict[str, Any] = {row.pop("queue"): row for row in listed}
    at = rows["merge"].pop("at")
    assert at == pytest.approx(worker.store.now(), abs=60)
    assert rows["merge"] == {"rate": "90/m", "by": operator(), "paused_by": None}
    assert rows["sync.acme"] == {
        "rate": "9999/s",
        "by": None,
        "at": None,
        "paused_by": operator(),
    }
    assert len(rows) == 12


@pytest.mark.parametrize("command", ["reset merge.typo", "resume typo"])
def test_what_is_neither_known_nor_set_is_refused(
    cluster: Cluster, command: str, capsys: Captured
) -> None:
    assert run(["rates", *command.split()]) == MISUSED
    said = capsys.readouterr().err
    assert "unknown: " in said
    assert "acme" in said
    assert said.count("\n") == 1


def test_what_was_set_for_a_tenant_that_is_gone_can_be_taken_back(
    worker: Services, capsys: Captured
) -> None:
    overrides = Overrides(store=worker.store)
    overrides.set_rates({"merge.gone": 1.0}, "ana@desk")
    overrides.pause("gone", "ana@desk")
    assert run(["rates", "reset", "merge.gone"]) == 0
    assert run(["rates", "resume", "gone"]) == 0
    force = overrides.in_force()
    assert (force.rates, force.pauses) == ({}, {})


def test_a_user_without_a_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert operator().startswith("uid")
