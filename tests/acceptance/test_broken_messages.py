"""Broken messages in every queue: each is parked, the next one is served, and no slot is lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.cluster import Cluster
from tests.support.raw_messages import raw
from tests.support.stamping import OPTIONS, message, put, stamps
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp, queues
from workers.limits.priority import lists
from workers.limits.rates import DEFAULT_QUEUE

SLOTS = 4
FLIPS = 120
SET = [[], {"conversation_id": "a-call", "attributes": {"tier": "gold"}}, {}]


def flipped(content: bytes, place: int) -> bytes:
    """Return `content` with one bit of the byte at `place` turned over."""
    turned = content[place] ^ (1 << place % 8)
    return content[:place] + bytes([turned]) + content[place + 1 :]


def nested(levels: int) -> bytes:
    """Return a message that is nested so deep, outside of its body."""
    whole = message("nested")
    return whole[:-1] + b', "more": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def broken() -> dict[str, bytes]:
    whole = message("broken")
    return {
        "bit-flipped": flipped(whole, whole.index(b'"body"')),
        "truncated": whole[: len(whole) // 2],
        "no JSON": b"\x80\x04\x95 a pickle, for instance",
        "1,001 deep": nested(1_001),
        "5 MB": message("x" * 4_000_000),
    }


@pytest.fixture(scope="module")
def worker(cluster: Cluster) -> Iterator[WorkerProcess]:
    with cluster.worker(*OPTIONS) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_kept(cluster: Cluster) -> None:
    cluster.redis.delete("stamps", *cluster.redis.scan_iter("gw:dead-letters*"))


def served(cluster: Cluster, count: int) -> list[str]:
    """Wait until so many messages have run, and return the names of all that have."""
    wait_until(lambda: len(stamps(cluster.redis)) >= count, 60, f"{count} messages are served")
    cluster.wait_until_quiet()
    return [each.name for each in stamps(cluster.redis)]


def test_each_queue_parks_what_is_broken_and_serves_what_is_behind_it(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    names = [queue.name for queue in queues(cluster.tenants())]
    # The default queue serves tasks that can be routed on; the stamp of the tests is none.
    behind = sorted(name for name in names if name != DEFAULT_QUEUE)
    for name in names:
        put(cluster.redis, name, broken().values())
    for name in behind:
        put(cluster.redis, name, (message(name) for _ in range(2 * SLOTS)))
    assert Counter(served(cluster, 2 * SLOTS * len(behind))) == dict.fromkeys(behind, 2 * SLOTS)
    letters = list(app.services.dead_letters.letters())
    assert Counter(letter.queue for letter in letters) == dict.fromkeys(names, len(broken()))
    assert {letter.status for letter in letters} == {"rejected"}
    assert all(letter.reason.startswith("message: ") for letter in letters)
    assert worker.process.poll() is None


def test_each_priority_parks_what_is_broken_and_serves_what_is_behind_it(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    names = lists("attributes")
    for name in names:
        put(cluster.redis, name, [*broken().values(), message(name)])
    assert sorted(served(cluster, len(names))) == sorted(names)
    letters = list(app.services.dead_letters.letters())
    assert len(letters) == len(names) * len(broken())
    assert {letter.queue for letter in letters} == {"attributes"}


def test_the_bytes_of_a_broken_message_are_kept(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    sent = set(broken().values())
    put(cluster.redis, "redact", sent)
    wait_until(lambda: app.services.dead_letters.count() == len(sent), 30, "they are kept")
    kept: Any = cluster.redis.hvals("gw:dead-letters:payloads")
    assert {each.removeprefix(b"plain:") for each in kept} == sent


def test_a_message_with_any_bit_turned_over_either_runs_or_is_kept(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    cluster.sandbox.put("conversations", "a-call", {"participants": [{}]})
    length = len(raw(SET, headers={"id": str(uuid4())}))
    places = range(0, length, length // FLIPS + 1)
    sent = (flipped(raw(SET, headers={"id": str(uuid4())}), place) for place in places)
    put(cluster.redis, "attributes", sent)
    put(cluster.redis, "attributes", [message("behind them")])
    assert served(cluster, 1) == ["behind them"]
    results: Any = cluster.redis.mget(list(cluster.redis.scan_iter("celery-task-meta-*")))
    done = sum(json.loads(each)["result"] is not None and b"SUCCESS" in each for each in results)
    assert done > 0
    assert done + app.services.dead_letters.count() == len(places)
    assert worker.process.poll() is None


def test_what_only_redis_cannot_read_does_not_run_past_its_moment_and_its_rate(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    tomorrow = json.loads(message("a lone surrogate", eta="2099-01-01T00:00:00+00:00"))
    tomorrow["headers"]["origin"] = "\ud800"
    put(cluster.redis, "attributes", [json.dumps(tomorrow).encode(), message("behind it")])
    assert served(cluster, 1) == ["behind it"]
    (letter,) = app.services.dead_letters.letters()
    assert (letter.status, letter.queue) == ("rejected", "attributes")
