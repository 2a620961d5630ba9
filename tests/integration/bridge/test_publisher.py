"""The publisher on a real Redis: many callers in one batch, and what they are told of trouble."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tasks.errors import BrokerAway
from tests.integration.test_outbox import OWN
from tests.support.occurring import arguments, queued, wanted
from tests.support.restartable_redis import RestartableRedis, restartable_redis
from tests.support.waiting import wait_until
from workers.app import Services, create_app
from workers.bridge.judging.matching import Wanted
from workers.bridge.publishing.once import Put
from workers.bridge.publishing.publisher import BATCH, Publisher
from workers.settings import Settings
from workers.store import Call, Store

SOON = 20

Story = Callable[[Publisher], Awaitable[Any]]


@pytest.fixture
def services(redis: Redis, redis_url: str) -> Iterator[Services]:
    made = serving(redis_url)
    yield made
    made.close()


def serving(url: str) -> Services:
    return create_app(Settings(_env_file=None, redis_url=url), {}).services


@pytest.fixture
def batches(services: Services, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many messages each batch had."""
    sizes: list[int] = []
    run_each = Store.run_each

    def counted(store: Store, name: str, calls: Sequence[Call]) -> list[Any]:
        sizes.append(len(calls))
        return run_each(store, name, calls)

    monkeypatch.setattr(Store, "run_each", counted)
    return sizes


def run(services: Services, story: Story) -> Any:
    async def all_of_it() -> Any:
        async with Publisher(services) as publisher:
            return await story(publisher)

    return asyncio.run(all_of_it())


def put(services: Services, *offered: Wanted) -> list[Put]:
    return list(run(services, lambda publisher: publisher.put(offered)))


def about(*contacts: str) -> list[Wanted]:
    return [wanted("values:a", 10, contact=contact) for contact in contacts]


def contacts(redis: Redis) -> list[str]:
    return [str(arguments(message)["contact_id"]) for message in queued(redis)]


# Batches


def test_messages_are_put_in_order_and_each_caller_is_answered(
    services: Services, redis: Redis
) -> None:
    assert put(services, *about("a", "b", "a", "c")) == ["new", "new", "duplicate", "new"]
    assert contacts(redis) == ["a", "b", "c"]
    assert put(services) == []


def test_a_message_is_what_a_stock_client_would_have_sent(services: Services, redis: Redis) -> None:
    (offered,) = about("c-1")
    put(services, offered)
    services.producer.publish(offered.message)
    ours, stock = queued(redis)
    for part, names in OWN.items():
        for name in (*names, "enqueued_at"):
            ours[part].pop(name, None)
            stock[part].pop(name, None)
    assert ours == stock
    assert arguments(ours)["correlation_id"] == "request-1"
    assert ours["headers"]["id"] == arguments(ours)["operation_id"]


def test_concurrent_callers_share_batches(
    services: Services, redis: Redis, batches: list[int]
) -> None:
    async def many(publisher: Publisher) -> list[list[Put]]:
        offers = [about(f"{n}-1", f"{n}-2", "shared") for n in range(200)]
        return await asyncio.gather(*map(publisher.put, offers))

    answers = run(services, many)
    assert all(answer[:2] == ["new", "new"] for answer in answers)
    assert [answer[2] for answer in answers].count("new") == 1
    assert len(contacts(redis)) == 401
    assert sum(batches) == 600
    assert len(batches) <= 6
    assert max(batches) <= BATCH


def test_one_caller_may_offer_more_than_a_batch_holds(
    services: Services, redis: Redis, batches: list[int]
) -> None:
    names = [str(number) for number in range(3 * BATCH + 1)]
    assert set(put(services, *about(*names))) == {"new"}
    assert contacts(redis) == names
    assert max(batches) <= BATCH


def test_a_return_is_put_in_the_order_of_its_batch(services: Services, redis: Redis) -> None:
    steps = [("a", 1), ("b", 2), ("a", 3), ("b", 4), ("a", 4), ("a", 5)]
    answers = put(services, *(wanted(f"values:{value}", at) for value, at in steps))
    assert answers == ["new", "new", "new", "new", "duplicate", "new"]
    assert len({arguments(message)["operation_id"] for message in queued(redis)}) == 5


def test_a_caller_that_gives_up_changes_nothing_for_the_others(
    services: Services, redis: Redis
) -> None:
    async def one_gives_up(publisher: Publisher) -> list[list[Put]]:
        asking = [asyncio.ensure_future(publisher.put(about(name))) for name in "abc"]
        await asyncio.sleep(0)
        asking[1].cancel()
        answers = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(answers.pop(1), asyncio.CancelledError)
        return [*answers, await publisher.put(about("d"))]  # type: ignore[list-item]  # no error

    assert run(services, one_gives_up) == [["new"]] * 3
    assert set(contacts(redis)) >= {"a", "c", "d"}


# Its block


def test_the_end_waits_for_what_was_asked_for(services: Services, redis: Redis) -> None:
    async def leave_at_once(publisher: Publisher) -> Awaitable[Any]:
        asking = [asyncio.ensure_future(publisher.put(about(str(n)))) for n in range(50)]
        await asyncio.sleep(0)
        return asyncio.gather(*asking)

    async def story() -> list[list[Put]]:
        async with Publisher(services) as publisher:
            asking = await leave_at_once(publisher)
        return list(await asking)

    assert asyncio.run(story()) == [["new"]] * 50
    assert len(contacts(redis)) == 50


def test_outside_its_block_it_takes_nothing(services: Services, redis: Redis) -> None:
    async def too_early_and_too_late() -> None:
        publisher = Publisher(services)
        with pytest.raises(BrokerAway, match="ended"):
            await publisher.put(about("a"))
        async with publisher:
            pass
        with pytest.raises(BrokerAway, match="ended"):
            await publisher.put(about("a"))

    asyncio.run(too_early_and_too_late())
    assert contacts(redis) == []


def test_whoever_waits_when_it_is_torn_down_is_told(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on = threading.Event()

    def stuck(*_: object) -> list[Any]:
        assert going_on.wait(SOON)
        return []

    monkeypatch.setattr(Store, "run_each", stuck)

    async def torn_down() -> list[Any]:
        asking: list[asyncio.Future[list[Put]]] = []

        async def whole() -> None:
            async with Publisher(services) as publisher:
                asking.append(asyncio.ensure_future(publisher.put(about("a"))))
                await asyncio.sleep(0.01)
                asking.append(asyncio.ensure_future(publisher.put(about("b"))))
                await asyncio.sleep(0)

        running = asyncio.create_task(whole())
        await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        going_on.set()
        return await asyncio.gather(*asking, return_exceptions=True)

    assert [str(each) for each in asyncio.run(torn_down())] == ["the publisher has ended"] * 2


# Trouble


def refused(services: Services, *offered: Wanted) -> str:
    with pytest.raises(BrokerAway) as away:
        put(services, *offered)
    return str(away.value)


def test_a_script_that_redis_forgot_is_loaded_again(services: Services, redis: Redis) -> None:
    assert put(services, *about("a")) == ["new"]
    redis.script_flush()
    assert put(services, *about("b", "c")) == ["new", "new"]
    assert contacts(redis) == ["a", "b", "c"]


def test_a_script_that_is_forgotten_halfway_puts_each_message_once(
    services: Services, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipelined = Store._pipelined

    def halfway(store: Store, name: str, calls: Sequence[Call]) -> list[Any]:
        monkeypatch.undo()
        answers = pipelined(store, name, calls[:2])
        redis.script_flush()
        return [*answers, *pipelined(store, name, calls[2:])]

    put(services, *about("a"))
    monkeypatch.setattr(Store, "_pipelined", halfway)
    answers = put(services, *about("b", "a", "c", "d", "b"))
    assert answers == ["new", "duplicate", "new", "new", "duplicate"]
    assert contacts(redis) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [("maxmemory", "1", "OOM"), ("min-replicas-to-write", "1", "NOREPLICAS")],
)
def test_a_redis_that_takes_no_writes_is_a_broker_that_is_away(
    services: Services, redis: Redis, name: str, value: str, reason: str
) -> None:
    put(services, *about("a"))
    before: Any = redis.config_get(name)
    redis.config_set(name, value)
    try:
        assert refused(services, *about("a", "b")) == f"the broker takes no messages: {reason}"
        assert put(services, *about("a")) == ["duplicate"]
    finally:
        redis.config_set(name, before[name])
    assert put(services, *about("a", "b")) == ["duplicate", "new"]
    assert contacts(redis) == ["a", "b"]


def test_so_is_a_replica(services: Services, redis: Redis, tmp_path: Path) -> None:
    redis.replicaof("127.0.0.1", "9")
    try:
        assert refused(services, *about("a")) == "the broker takes no messages: READONLY"
    finally:
        redis.replicaof("NO", "ONE")
    assert put(services, *about("a")) == ["new"]


def test_all_callers_of_a_batch_that_failed_are_told_and_may_ask_again(
    services: Services, redis: Redis
) -> None:
    redis.set("sync.acme", "is no list")
    spoiled = wanted("values:a", 10, tenant="acme")

    async def both(publisher: Publisher) -> list[Any]:
        asking = (publisher.put(about("a")), publisher.put([spoiled]))
        return list(await asyncio.gather(*asking, return_exceptions=True))

    answers = run(services, both)
    assert [str(each) for each in answers] == ["the broker takes no messages: ResponseError"] * 2
    redis.delete("sync.acme")
    put(services, *about("a"), spoiled)
    assert contacts(redis) == ["a"]
    assert redis.llen("sync.acme") == 1


def test_an_error_of_ours_reaches_its_callers_and_not_later_ones(
    services: Services, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails_once(publisher: Publisher) -> list[Put]:
        with monkeypatch.context() as patched:
            patched.setattr(Store, "run_each", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                await publisher.put(about("a"))
        return await publisher.put(about("b"))

    assert run(services, fails_once) == ["new"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestartableRedis]:
    with restartable_redis(tmp_path_factory.mktemp("restartable")) as running:
        yield running


def test_it_goes_on_after_redis_was_away_and_remembers_what_it_put(
    server: RestartableRedis,
) -> None:
    services = serving(server.url)

    async def through_an_outage(publisher: Publisher) -> list[Put]:
        assert await publisher.put(about("a")) == ["new"]
        server.kill()
        for _ in range(2):
            with pytest.raises(BrokerAway, match="ConnectionError"):
                await publisher.put(about("a", "b"))
        server.start()
        return await publisher.put(about("a", "b"))

    try:
        assert run(services, through_an_outage) == ["duplicate", "new"]
        with Redis.from_url(server.url) as redis:
            assert contacts(redis) == ["a", "b"]
    finally:
        services.close()


KILLED = """
import asyncio, sys
from tests.integration.bridge.test_publisher import about, serving
from workers.bridge.publishing.publisher import Publisher

async def main():
    async with Publisher(serving(sys.argv[1])) as publisher:
        while True:
            await asyncio.gather(*(publisher.put(about(str(n), str(n + 1))) for n in range(5_000)))

asyncio.run(main())
"""


def test_nothing_is_lost_or_doubled_by_a_process_that_was_killed(
    services: Services, redis: Redis, redis_url: str
) -> None:
    command = [sys.executable, "-c", KILLED, redis_url]
    root = str(Path(__file__).parents[3])
    with subprocess.Popen(command, cwd=root) as process:
        try:
            wait_until(lambda: redis.llen("sync") > 300, 60, "it is putting messages")
        finally:
            os.kill(process.pid, signal.SIGKILL)
    put(services, *about(*map(str, range(5_001))))
    assert sorted(map(int, contacts(redis))) == list(range(5_001))
    assert sum(1 for _ in redis.scan_iter("gw:operation:*", count=1000)) == 5_001


def test_no_error_quotes_a_message(services: Services, redis: Redis) -> None:
    redis.set("sync", "is no list")
    told = refused(services, *about("contact-77"))
    assert "77" not in told
    assert "77" not in json.dumps(repr(about("contact-77")[0]))
