"""`status`: what it shows is what the scripts have left in Redis."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from redis import Redis

from tests.support.cluster import Cluster, wait_until
from tests.support.raw_messages import raw
from tests.support.tenants import tenant, tenants_file
from workers.app import Services
from workers.cli.main import run
from workers.limits.admission import Terms
from workers.limits.budgets import SystemGate
from workers.limits.overrides import Overrides
from workers.limits.priority import lists
from workers.transport.claims import Claimed, Question
from workers.watching import strays
from workers.watching.status import QueueStatus, Status, look

Captured = pytest.CaptureFixture[str]

LEASE = 30.0

#: What a terminal is told before each screen.
HOME = b"\x1b[H"


@pytest.fixture
def cluster(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster of two tenants, to which this process' environment leads."""
    connect(cluster, monkeypatch, "default", "acme")
    return cluster


def connect(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    tenants = {name: tenant(cluster.sandbox, requests_per_minute=300) for name in names}
    cluster.environment["TENANTS_FILE"] = tenants_file(cluster.folder, **tenants)
    for name, value in cluster.variables().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def services(cluster: Cluster) -> Iterator[Services]:
    services = cluster.app().services
    yield services
    services.close()


def send(redis: Redis, queue: str, count: int = 1) -> None:
    for _ in range(count):
        redis.lpush(queue, raw([[], {}, {}]))


def ask(services: Services, queue: str) -> Claimed | float:
    terms = services.terms.get(queue) or Terms(queue=queue, rate=None)
    return services.claims.claim(Question(worker="w-1", lease=LEASE, terms=[terms]))


def claim(services: Services, queue: str) -> Claimed:
    claimed = ask(services, queue)
    assert isinstance(claimed, Claimed)
    return claimed


def put_back(services: Services, queue: str, wait: float | None) -> None:
    services.claims.settle([("return", claim(services, queue).tag, wait)])


def tell(services: Services, worker: str, *queues: str, silent: float = 0) -> None:
    """Let a worker have said, so many seconds ago, that it lives and reads these queues."""
    about = {"name": worker.partition("/")[0], "queues": queues, "slots": 4, "held": 1}
    services.claims.renew(worker, LEASE, json.dumps(about), [])
    services.store.redis.zincrby("gw:alive", -silent * 1000, worker)


def become_due(redis: Redis, name: str) -> None:
    tags: Any = redis.zrange(f"gw:delayed:{name}", 0, -1)
    redis.zadd(f"gw:delayed:{name}", dict.fromkeys(tags, 0))


def queue(seen: Status, name: str) -> QueueStatus:
    (found,) = [each for each in (*seen.queues, *seen.strays) if each.name == name]
    return found


def test_messages_are_counted_by_whether_they_are_due_and_held(
    services: Services, redis: Redis
) -> None:
    for name in lists("merge"):
        send(redis, name, 2)
    put_back(services, "merge", 600)
    put_back(services, "merge", None)
    claim(services, "merge")
    claim(services, "merge")
    seen = look(services)
    merge = queue(seen, "merge")
    assert (merge.waiting, merge.delayed, merge.leased) == (5, 1, 2)
    assert seen.held == 2
    assert queue(seen, "merge.acme").idle


@pytest.mark.parametrize("wait", [None, 600.0])
def test_a_system_is_idle_once_nothing_waits_is_delayed_or_is_held(
    services: Services, redis: Redis, wait: float | None
) -> None:
    assert look(services).idle
    send(redis, "sync.acme")
    assert not look(services).idle
    put_back(services, "sync.acme", wait)
    assert not look(services).idle
    become_due(redis, "sync.acme")
    claimed = claim(services, "sync.acme")
    assert not look(services).idle
    services.claims.settle([("end", claimed.tag, None)])
    assert look(services).idle


def test_the_rate_in_force_is_told_with_who_has_set_it(services: Services) -> None:
    overrides = Overrides(store=services.store)
    overrides.set_rates({"merge": 0.5}, "ana@desk")
    overrides.pause("acme", "bo@desk")
    seen = look(services)
    merge, other = queue(seen, "merge"), queue(seen, "merge.acme")
    assert merge.rate_set
    assert (merge.rate, merge.rate_set.by) == (0.5, "ana@desk")
    assert 0 <= seen.at - merge.rate_set.at < 60
    assert (other.rate, other.rate_set) == (9999.0, None)
    assert {tenant: pause.by for tenant, pause in seen.pauses.items()} == {"acme": "bo@desk"}
    assert queue(seen, "celery").rate is None


def test_the_achieved_rate_counts_the_messages_started_in_the_last_whole_minute(
    services: Services, redis: Redis
) -> None:
    send(redis, "merge", 6)
    put_back(services, "merge", None)
    for _ in range(6):
        claim(services, "merge")
    later(redis)
    assert queue(look(services), "merge").achieved == pytest.approx(6 / 60)
    assert queue(look(services), "sync").achieved == 0


def later(redis: Redis) -> None:
    """Let what was granted lie two spans of ten seconds back."""
    names: Any = redis.keys("gw:granted:*")
    for name in sorted(names):
        start, _, span = name.decode().rpartition(":")
        redis.rename(name, f"{start}:{int(span) - 2}")


def test_a_head_that_is_refused_is_seen_waiting_until_it_is_claimed(
    services: Services, redis: Redis
) -> None:
    overrides = Overrides(store=services.store)
    overrides.pause("default", "ana@desk")
    send(redis, "merge")
    assert isinstance(ask(services, "merge"), float)
    time.sleep(0.1)
    assert (queue(look(services), "merge").head_waits or 0) >= 0.1
    overrides.resume("default")
    claim(services, "merge")
    assert queue(look(services), "merge").head_waits is None


def test_a_head_that_nobody_asks_for_is_first_seen_by_status(
    services: Services, redis: Redis
) -> None:
    send(redis, "merge.typo")
    assert queue(look(services), "merge.typo").head_waits == 0
    time.sleep(0.1)
    assert (queue(look(services), "merge.typo").head_waits or 0) >= 0.09
    redis.delete("merge.typo")
    assert look(services).strays == ()
    assert not redis.exists("gw:heads")


def test_queues_that_hold_messages_and_nobody_reads_are_told_with_the_reason(
    services: Services, redis: Redis
) -> None:
    tell(services, "w-1/a", "merge", "sync")
    tell(services, "w-2/b", "deploy", silent=LEASE + 5)
    for name in ("merge", "deploy", "merge.typo", "sync.gone\x06\x166", "redact.far"):
        send(redis, name)
    put_back(services, "redact.far", 600)
    send(redis, "merges")
    send(redis, "somebody.else")
    seen = look(services)
    found = {each.name: each.trouble for each in (*seen.queues, *seen.strays) if each.trouble}
    assert found == {
        "deploy": "no worker reads it",
        "merge.typo": "unknown tenant typo",
        "redact.far": "unknown tenant far",
        "sync.gone": "unknown tenant gone",
    }
    assert queue(seen, "redact.far").delayed == 1
    assert queue(seen, "merge").readers == ("w-1",)
    assert seen.complete


def test_a_stray_that_a_living_worker_reads_is_no_trouble(services: Services, redis: Redis) -> None:
    tell(services, "w-1/a", "merge.beta")
    send(redis, "merge.beta")
    assert queue(look(services), "merge.beta").trouble is None


def test_a_large_database_is_looked_at_in_part(
    services: Services,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    redis.mset({f"other:{number}": 1 for number in range(3 * strays.STEP)})
    assert look(services).complete
    monkeypatch.setattr(strays, "MOST", strays.STEP)
    assert not look(services).complete
    run(["status"])
    assert "mistyped queues may be missing" in capsys.readouterr().out


def test_a_worker_is_alive_for_a_lease_and_forgotten_after_an_hour(
    services: Services, redis: Redis
) -> None:
    tell(services, "w-1/a", "merge")
    tell(services, "w-2/b", "merge", silent=LEASE + 5)
    tell(services, "w-1/old", "merge", silent=LEASE + 5)
    tell(services, "w-3/c", "merge", silent=3_601)
    seen = look(services)
    assert [(each.name, each.alive) for each in seen.workers] == [("w-1", True), ("w-2", False)]
    assert seen.workers[1].silent >= LEASE
    assert (seen.workers[0].slots, seen.workers[0].held) == (4, 1)
    assert not redis.hexists("gw:workers", "w-3/c")
    assert redis.zscore("gw:alive", "w-3/c") is None


def test_a_worker_process_tells_its_queues_and_slots(cluster: Cluster, services: Services) -> None:
    with cluster.worker("-Q", "merge,sync.acme"):
        wait_until(lambda: look(services).workers, 20, "it has told of itself")
        seen = look(services)
    (worker,) = seen.workers
    assert (worker.queues, worker.slots, worker.held) == (("merge", "sync.acme"), 4, 0)
    assert queue(seen, "sync.acme").readers == (worker.name,)
    assert queue(seen, "sync").readers == ()


def test_budgets_tell_what_is_spent_and_reserved_and_when_they_begin_anew(
    services: Services, redis: Redis
) -> None:
    send(redis, "merge.acme")
    claimed = claim(services, "merge.acme")
    gate = SystemGate(store=services.store, tenant="acme", system="genesys", per_minute=300)
    gate.enter(claimed.tag, 6)
    SystemGate(store=services.store, tenant="default", system="cxone", per_minute=300).pause(
        20, by_server=False
    )
    seen = {(each.tenant, each.system): each for each in look(services).systems}
    spent = seen["acme", "genesys"]
    assert (spent.limit, spent.spent, spent.reserved) == (300, 6, 5)
    assert 0 < (spent.window_left or 0) <= 61
    assert spent.pause_left is None
    paused = seen["default", "cxone"]
    assert (paused.spent, paused.window_left) == (0, None)
    assert 0 < (paused.pause_left or 0) <= 20
    assert set(seen) == {(t, s) for t in ("default", "acme") for s in ("genesys", "cxone")}


def test_of_many_queues_those_are_shown_where_something_happens(
    cluster: Cluster, redis: Redis, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    connect(cluster, monkeypatch, *(f"t{number}" for number in range(20)))
    send(redis, "merge.t3", 2)
    send(redis, "merge.typo")
    assert run(["status"]) == 0
    said = capsys.readouterr().out
    assert "merge.t3" in said
    assert "unknown tenant typo" in said
    assert "merge.t4" not in said
    assert "not shown: 120 idle queues, 40 systems without a call (--all)" in said
    assert run(["status", "--all"]) == 0
    assert "merge.t4" in capsys.readouterr().out


def test_what_operators_have_set_is_shown(services: Services, capsys: Captured) -> None:
    Overrides(store=services.store).set_rates({"merge": 0.5}, "ana@desk")
    Overrides(store=services.store).pause("acme", "bo@desk")
    assert run(["status"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"ana@desk, \d+ s ago", " ".join(said.split()))
    assert "acme is paused by bo@desk since " in said
    assert "no worker is alive" in said


def test_a_name_that_a_terminal_would_obey_is_shown_as_text(
    services: Services, redis: Redis, capsys: Captured
) -> None:
    send(redis, "merge.\x1b[2J")
    assert run(["status"]) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert r"merge.\x1b[2J" in said


def test_one_look_as_json(services: Services, redis: Redis, capsys: Captured) -> None:
    send(redis, "merge.typo")
    assert run(["status", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in shown["strays"]] == ["merge.typo"]
    assert shown["queues"][0] == {
        "name": "attributes",
        "waiting": 0,
        "delayed": 0,
        "leased": 0,
        "head_waits": None,
        "rate": 9999.0,
        "rate_set": None,
        "achieved": 0.0,
        "readers": [],
        "trouble": None,
    }


def test_watching_looks_again_until_it_is_interrupted(cluster: Cluster, redis: Redis) -> None:
    with watching(50, 120) as (process, terminal):
        read_until(terminal, b"dead letters: 0")
        send(redis, "merge.typo")
        read_until(terminal, b"unknown tenant typo")
        process.send_signal(signal.SIGINT)
        drain(terminal)
        assert process.wait(20) == 0


def test_on_a_real_terminal_nothing_is_lost_below_its_edge(
    cluster: Cluster, services: Services, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"t{number}" for number in range(9)]
    connect(cluster, monkeypatch, *names)
    tell(services, "w-1/a", "merge.t1", "sync.t1", silent=-600)
    tell(services, "w-2/b", "merge", silent=LEASE + 5)
    for name in ("t1", "t2", "t3", "t4"):
        Overrides(store=services.store).pause(name, "ana@desk")
        SystemGate(store=services.store, tenant=name, system="cxone", per_minute=300).pause(
            60, by_server=False
        )
    letter = raw([[], {"value": "jane.roe@example.com"}, {}])
    for name in (*names, *(f"typo{number}" for number in range(9))):
        redis.lpush(f"merge.{name}", letter)
    with watching(24, 80) as (_, terminal):
        low = frame(terminal, "dead letters: 0")
        termios.tcsetwinsize(terminal, (90, 120))
        high = frame(terminal, "merge.typo8")
    assert (len(low), max(map(len, low))) == (24, 80)
    assert "again every 0.1 s until Ctrl-C" in low[0]
    assert low[1].startswith("t1 is paused by ana@desk since ")
    told = [line.rstrip() for line in low if line.startswith("…")]
    unread = sum("no worker" in line or "unknown tenant" in line for line in low)
    assert f"… {54 + 10 - unread} more queues: {17 - unread} unread, 1 waiting, 46 idle" in told
    assert [line for line in told if re.search(r"more systems: \d paused, \d+ without", line)]
    assert [line for line in low if line.startswith("w-2")]
    assert (len(high), max(map(len, high))) == (90, 120)
    assert not [line for line in high if "…" in line]
    assert not [line for line in (*low, *high) if "jane" in line or "example.com" in line]


@contextmanager
def watching(lines: int, columns: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run `status --watch` in a terminal of that size until the block ends."""
    here, there = pty.openpty()
    termios.tcsetwinsize(there, (lines, columns))
    command = [sys.executable, "-m", "workers.cli", "status", "--watch", "0.1"]
    sized = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment = {**sized, "TERM": "xterm"}
    with subprocess.Popen(command, stdin=there, stdout=there, env=environment) as process:
        os.close(there)
        try:
            yield process, here
        finally:
            process.kill()
            os.close(here)


def frame(terminal: int, text: str) -> list[str]:
    """Return the lines of the first whole screen that has `text`."""
    shown: list[str] = []
    while not any(text in line for line in shown):
        read_until(terminal, HOME)
        said = read_until(terminal, HOME).partition(HOME)[0].decode()
        shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said).split("\r\n")
    return shown


def drain(terminal: int) -> None:
    """Take what is still said until nobody is at the other end: a full terminal holds a writer."""
    with suppress(OSError):
        while os.read(terminal, 65_536):
            pass


def read_until(terminal: int, text: bytes) -> bytes:
    said = b""
    while text not in said:
        said += os.read(terminal, 1)
    return said
