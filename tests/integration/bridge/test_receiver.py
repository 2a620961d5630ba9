"""The receiver in front of a real broker: what it has answered 200 to is there, once."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tasks.messages import DEFAULT_TENANT
from tests.support.arriving import (
    SECRET,
    SETTINGS,
    Reached,
    enveloped,
    intake,
    left,
    reached,
    until,
)
from tests.support.occurring import arguments, queued
from tests.support.restartable_redis import RestartableRedis, redis_url, server
from tests.support.tls import authority
from workers.app import WorkersApp
from workers.bridge.publishing.publisher import Publisher
from workers.bridge.receiving.http_server import encryption
from workers.bridge.receiving.receiver import SECRET_HEADER, Receiver
from workers.bridge.settings import BridgeSettings
from workers.bridge.watching.health import Health
from workers.bridge.watching.metrics import BridgeMetrics
from workers.embedded.loopback import HOST
from workers.settings import Settings

__all__ = ["redis_url", "server"]

QUEUE = "redact"


@asynccontextmanager
async def receiving(
    app: WorkersApp,
    metrics: BridgeMetrics | None = None,
    settings: BridgeSettings = SETTINGS,
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[Reached]:
    """Run a receiver with everything that is behind it in a bridge."""
    metrics = metrics or BridgeMetrics()

    async def look() -> Health:
        return Health(broker=True)

    async with Publisher(app.services) as publisher:
        receiver = Receiver(
            tenants={DEFAULT_TENANT: settings},
            intake=intake(publisher, metrics, tenants=[DEFAULT_TENANT]),
            metrics=metrics,
            look=look,
            away_seconds=0.1,
        )
        async with reached(receiver, context=context) as at:
            yield at


def conversations(redis: Redis) -> Counter[str]:
    return Counter(arguments(each)["interaction_id"] for each in queued(redis, QUEUE))


def test_what_is_answered_200_is_on_its_queue(app: WorkersApp, redis: Redis) -> None:
    async def story() -> None:
        async with receiving(app) as at:
            answer = await at.post(DEFAULT_TENANT, enveloped(left("c-1")))
            assert answer.status == 200
            (message,) = queued(redis, QUEUE)
            assert arguments(message)["correlation_id"] == "request-c-1"
            assert message["headers"]["task"] == "redact_interaction"

    asyncio.run(story())


def test_an_event_that_is_delivered_ten_times_at_once_makes_one_message(
    app: WorkersApp, redis: Redis
) -> None:
    metrics = BridgeMetrics()

    async def story() -> None:
        async with receiving(app, metrics) as at:
            event = enveloped(left("c-1"))
            answers = await asyncio.gather(*(at.post(DEFAULT_TENANT, event) for _ in range(10)))
            assert {answer.status for answer in answers} == {200}
            assert sum(answer.json()["enqueued"] for answer in answers) == 1

    asyncio.run(story())
    assert conversations(redis) == {"c-1": 1}
    counts = metrics.snapshot(DEFAULT_TENANT)["counts"]
    assert counts == {"received": 10, "enqueued": 1, "duplicates": 9}


def test_only_ids_reach_the_broker(app: WorkersApp, redis: Redis) -> None:
    async def story() -> None:
        async with receiving(app) as at:
            told: dict[str, Any] = {
                "messages": [{"text": "my mail is jane@example.com"}],
                "attributes": {"n": "jane"},
            }
            assert (await at.post(DEFAULT_TENANT, left("c-1", **told))).status == 200

    asyncio.run(story())
    stored = [redis.dump(name) for name in redis.scan_iter()]
    assert len(stored) >= 3
    assert not [each for each in stored if each and b"jane" in each]
    assert "jane" not in json.dumps(queued(redis, QUEUE))


def test_while_redis_is_stopped_senders_come_again_and_nothing_is_lost(
    app: WorkersApp, redis: Redis, server: RestartableRedis
) -> None:
    metrics = BridgeMetrics()

    async def send(at: Reached, name: str) -> list[int]:
        """Send an event until it is taken, as EventBridge would, and return what was answered."""
        answers: list[int] = []
        while not answers or answers[-1] == 503:
            answer = await at.post(DEFAULT_TENANT, enveloped(left(name)))
            answers.append(answer.status)
            if answer.status == 503:
                assert int(answer.headers["Retry-After"]) > 0
                await asyncio.sleep(0.05)
        return answers

    async def story() -> None:
        async with receiving(app, metrics) as at:
            assert await send(at, "before") == [200]
            await asyncio.to_thread(server.kill)
            sending = [asyncio.create_task(send(at, f"c-{number}")) for number in range(10)]
            answers = await at.post(DEFAULT_TENANT, left("c-0"))
            assert answers.status == 503
            assert b"genesys_bridge_broker_away 1.0" in (await at.ask("GET", "/metrics")).body
            await asyncio.to_thread(server.start)
            for each in sending:
                answered = await each
                assert answered[-1] == 200
                assert set(answered[:-1]) == {503}
            assert b"genesys_bridge_broker_away 0.0" in (await at.ask("GET", "/metrics")).body

    asyncio.run(story())
    assert conversations(redis) == {"before": 1, **{f"c-{number}": 1 for number in range(10)}}


def test_a_redis_that_hangs_is_away_before_the_sender_gives_up(
    app: WorkersApp, redis: Redis, server: RestartableRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.bridge.receiving.receiver.PUT_SECONDS", 0.2)

    async def story() -> None:
        async with receiving(app) as at:
            redis.client_pause(60_000, all=False)
            try:
                answer = await at.post(DEFAULT_TENANT, left("c-1"))
            finally:
                redis.client_unpause()
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            await until(lambda: conversations(redis))
            await until_taken(at)

    async def until_taken(at: Reached) -> None:
        async with asyncio.timeout(10):
            while (await at.post(DEFAULT_TENANT, left("c-1"))).status != 200:
                await asyncio.sleep(0.05)

    asyncio.run(story())
    assert conversations(redis) == {"c-1": 1}


def test_by_tls_it_is_the_same(app: WorkersApp, redis: Redis, tmp_path: Path) -> None:
    made = authority(tmp_path)
    settings = Settings(_env_file=None, receiver_tls_cert=made.server, receiver_tls_key=made.server)
    context = encryption(settings)
    trusting = ssl.create_default_context(cafile=made.ca)

    async def story() -> None:
        async with receiving(app, context=context) as at:
            url = f"https://{HOST}:{at.port}"
            headers = {SECRET_HEADER: SECRET}
            answer = await at.ask(
                "POST", f"{url}/events/default", json=left("c-1"), headers=headers, ssl=trusting
            )
            assert answer.status == 200
            answer = await at.ask("GET", f"{url}/health", ssl=trusting)
            assert answer.json()["ready"] is True

    asyncio.run(story())
    assert conversations(redis) == {"c-1": 1}
