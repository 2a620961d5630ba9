"""One bridge of several leads: whoever dies, sleeps or lets go is followed by another one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Any

import pytest
import redis as redis_py
from redis import Redis

from tests.support.waiting import wait_until
from workers.bridge.state.leadership import ATTEMPT, LEASE, RENEWAL, Leadership, lead, uptime
from workers.sandbox.testing import ManualClock
from workers.store import Store

KEY = "gw:bridge:acme:leader"
SOON = 20.0
#: Seconds that a busy machine may take for what takes none.
SLACK = 6.0
QUICK: dict[str, Any] = {"renewal": 0.05, "attempt": 0.02}

Work = Callable[[], Awaitable[None]]


def candidate(redis: Redis, lease: float = LEASE, **options: Any) -> Leadership:
    return Leadership(Store(redis=redis), "acme", lease=lease, **options)


# The lease


def test_one_of_several_leads_until_it_releases(redis: Redis) -> None:
    first, second = candidate(redis), candidate(redis)
    assert not first.leads
    assert [first.try_acquire(), second.try_acquire()] == [True, False]
    assert [first.leads, second.leads] == [True, False]
    assert first.renew()
    first.release()
    assert not first.leads
    assert second.try_acquire()


def test_tenants_have_leaders_of_their_own(redis: Redis) -> None:
    assert candidate(redis).try_acquire()
    assert Leadership(Store(redis=redis), "other").try_acquire()


def test_a_lease_is_ten_seconds_from_the_last_renewal(redis: Redis) -> None:
    leader = candidate(redis)
    leader.try_acquire()
    redis.pexpire(KEY, 5_000)
    assert leader.renew()
    assert 5_000 < int(redis.pttl(KEY)) <= 10_000
    assert 5 < leader.left <= 10
    assert (LEASE, RENEWAL, ATTEMPT) == (10, 3, 1)


def test_whoever_slept_longer_than_its_lease_knows_without_asking(redis: Redis) -> None:
    clock = ManualClock()
    sleeper = candidate(redis, clock=clock)
    sleeper.try_acquire()
    clock.advance(9.9)
    assert sleeper.leads
    clock.advance(0.2)
    assert (sleeper.leads, sleeper.left) == (False, 0)


def test_it_goes_on_where_nobody_has_led_meanwhile(redis: Redis) -> None:
    clock = ManualClock()
    sleeper = candidate(redis, clock=clock)
    sleeper.try_acquire()
    clock.advance(60)
    assert sleeper.renew()
    assert sleeper.leads


def test_it_does_not_where_somebody_has(redis: Redis) -> None:
    sleeper, other = candidate(redis), candidate(redis)
    sleeper.try_acquire()
    redis.delete(KEY)
    assert other.try_acquire()
    assert not sleeper.renew()
    assert not sleeper.leads
    sleeper.release()
    assert other.renew()


def test_a_lease_that_has_ended_is_not_renewed(redis: Redis) -> None:
    leader = candidate(redis)
    leader.try_acquire()
    redis.delete(KEY)
    assert not leader.renew()
    assert not leader.leads
    assert leader.try_acquire()


def test_it_is_known_by_name_who_leads(redis: Redis) -> None:
    named, other = candidate(redis, name="host-1:17"), candidate(redis)
    assert other.leader() is None
    named.try_acquire()
    assert other.leader() == "host-1:17"


def test_its_clock_goes_on(redis: Redis) -> None:
    before = uptime()
    time.sleep(0.01)
    assert 0.01 <= uptime() - before < SOON


# Leading


class Diary:
    """What the work of each candidate has come to."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def work(self, name: str) -> Work:
        async def working() -> None:
            self.lines.append(f"{name} begins")
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                self.lines.append(f"{name} ends")

        return working

    async def until(self, *lines: str) -> None:
        async with asyncio.timeout(SOON):
            while self.lines != list(lines):
                await asyncio.sleep(0.005)


def leading(leadership: Leadership, work: Work) -> asyncio.Task[None]:
    return asyncio.create_task(lead(leadership, work, **QUICK))


async def end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_a_standby_leads_at_once_after_the_leader_has_ended(redis: Redis) -> None:
    async def story() -> None:
        diary = Diary()
        first = leading(candidate(redis), diary.work("first"))
        await diary.until("first begins")
        second = leading(candidate(redis), diary.work("second"))
        await asyncio.sleep(0.2)
        ended = time.monotonic()
        await end(first)
        await diary.until("first begins", "first ends", "second begins")
        assert time.monotonic() - ended < LEASE / 2
        await end(second)
        assert redis.get(KEY) is None

    asyncio.run(story())


def test_the_lead_is_kept_for_as_long_as_the_work_takes(redis: Redis) -> None:
    async def story() -> None:
        diary = Diary()
        first = leading(candidate(redis, 2), diary.work("first"))
        await diary.until("first begins")
        second = leading(candidate(redis, 2), diary.work("second"))
        await asyncio.sleep(2.5)
        assert diary.lines == ["first begins"]
        await end(first, second)

    asyncio.run(story())


def test_nobody_begins_before_the_work_that_is_cancelled_has_ended(redis: Redis) -> None:
    async def story() -> None:
        lines: list[str] = []

        async def slow_to_end() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(2.5)
                lines.append("first ends")

        async def other() -> None:
            lines.append("second begins")

        first = leading(candidate(redis, 2), slow_to_end)
        await asyncio.to_thread(wait_until, lambda: redis.exists(KEY), SOON, "it leads")
        second = leading(candidate(redis, 2), other)
        await end(first)
        await second
        assert lines == ["first ends", "second begins"]

    asyncio.run(story())


def test_work_that_has_ended_ends_it_all(redis: Redis) -> None:
    async def done() -> None:
        assert redis.exists(KEY)

    asyncio.run(lead(candidate(redis), done, **QUICK))
    assert redis.get(KEY) is None


def test_work_that_fails_gives_the_lead_to_somebody_else(redis: Redis) -> None:
    async def failing() -> None:
        raise ValueError("at work")

    with pytest.raises(ValueError, match="at work"):
        asyncio.run(lead(candidate(redis), failing, **QUICK))
    assert redis.get(KEY) is None


def test_a_fault_in_keeping_the_lead_is_told(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Leadership, "renew", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(lead(candidate(redis), Diary().work("it"), **QUICK))
    assert redis.get(KEY) is None


def test_work_ends_where_the_lead_was_taken_and_begins_again(redis: Redis) -> None:
    async def story() -> None:
        diary = Diary()
        task = leading(candidate(redis), diary.work("it"))
        await diary.until("it begins")
        redis.set(KEY, "somebody else")
        await diary.until("it begins", "it ends")
        assert redis.get(KEY) == b"somebody else"
        redis.delete(KEY)
        await diary.until("it begins", "it ends", "it begins")
        await end(task)

    asyncio.run(story())


def fails(_: Leadership) -> bool:
    raise redis_py.ConnectionError


@contextmanager
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let renewals hang until the block ends."""
    going_on = threading.Event()

    def hang(_: Leadership) -> bool:
        going_on.wait(SOON)
        return False

    with monkeypatch.context() as patched:
        patched.setattr(Leadership, "renew", hang)
        try:
            yield
        finally:
            going_on.set()


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every call fail until the block ends."""
    with monkeypatch.context() as patched:
        for name in ("renew", "try_acquire"):
            patched.setattr(Leadership, name, fails)
        yield


@pytest.mark.parametrize("trouble", [failing, stuck])
def test_work_ends_within_the_lease_while_redis_does_not_answer_and_begins_again(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, trouble: Callable[..., Any]
) -> None:
    async def story() -> None:
        diary = Diary()
        leader = candidate(redis, 1.5)
        task = leading(leader, diary.work("it"))
        await diary.until("it begins")
        with trouble(monkeypatch):
            await diary.until("it begins", "it ends")
            assert not leader.leads
        await diary.until("it begins", "it ends", "it begins")
        await end(task)

    asyncio.run(story())


def test_a_renewal_that_failed_once_costs_nothing(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        diary = Diary()
        task = leading(candidate(redis), diary.work("it"))
        await diary.until("it begins")
        for _ in range(3):
            with failing(monkeypatch):
                await asyncio.sleep(0.2)
            await asyncio.sleep(0.3)
        assert diary.lines == ["it begins"]
        await end(task)

    asyncio.run(story())


def test_two_never_work_at_once(redis: Redis) -> None:
    async def story() -> None:
        at_work: set[int] = set()
        turns: list[int] = []

        async def work(number: int) -> None:
            assert not at_work
            at_work.add(number)
            turns.append(number)
            await asyncio.sleep(0.02)
            at_work.remove(number)

        tasks = [leading(candidate(redis), lambda n=n: work(n)) for n in range(8)]  # type: ignore[misc]  # its default
        await asyncio.gather(*tasks)
        assert sorted(turns) == list(range(8))

    asyncio.run(story())


# Processes that die and sleep

LEADER = """
import sys
from workers.bridge.state.leadership import Leadership
from workers.store import Store

leadership = Leadership(Store.connect(sys.argv[1]), "acme", lease=float(sys.argv[2]))
print(leadership.try_acquire(), flush=True)
for line in sys.stdin:
    print(leadership.leads, flush=True)
"""


@contextmanager
def process(redis_url: str, lease: float) -> Iterator[subprocess.Popen[str]]:
    """Run a process that leads, and says whether it does for each line that it reads."""
    command = [sys.executable, "-c", LEADER, redis_url, str(lease)]
    pipe = subprocess.PIPE
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True) as running:
        try:
            assert says(running) == "True"
            yield running
        finally:
            running.send_signal(SIGKILL)


def says(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


def ask(running: subprocess.Popen[str]) -> None:
    assert running.stdin is not None
    print(file=running.stdin, flush=True)


def test_a_standby_leads_within_the_lease_of_a_leader_that_was_killed(
    redis: Redis, redis_url: str
) -> None:
    lease, attempt = 2.0, 0.2

    async def story() -> float:
        diary = Diary()
        task = asyncio.create_task(
            lead(candidate(redis, lease), diary.work("standby"), attempt=attempt)
        )
        await asyncio.sleep(0.2)
        killed = time.monotonic()
        leader.send_signal(SIGKILL)
        await diary.until("standby begins")
        taken = time.monotonic() - killed
        await end(task)
        return taken

    with process(redis_url, lease) as leader:
        assert asyncio.run(story()) < lease + attempt + SLACK


def test_a_process_that_wakes_after_its_lease_knows_that_it_leads_no_more(
    redis: Redis, redis_url: str
) -> None:
    with process(redis_url, 3.0) as sleeper:
        ask(sleeper)
        assert says(sleeper) == "True"
        sleeper.send_signal(SIGSTOP)
        ask(sleeper)
        standby = candidate(redis)
        wait_until(standby.try_acquire, SOON, "the lease is over")
        sleeper.send_signal(SIGCONT)
        assert says(sleeper) == "False"
