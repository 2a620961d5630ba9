"""The channels of a tenant, kept in Redis, made at the sandbox; and what is asked of its API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from redis import Redis

from tasks.apis.notification_service import NotificationService
from tasks.apis.notifications import MOST_CHANNELS, Notifications
from tasks.errors import BrokerAway, Forbidden, NotFound
from tests.support.cluster import Cluster
from tests.support.platform import checked, connect
from tests.support.tenants import platform_tenant, tenants_file
from tests.support.waiting import wait_until
from workers.app import WorkersApp, create_app
from workers.bridge.listening.asking import Asking
from workers.bridge.listening.channels import LIFE, Channels, NoChannelFree
from workers.letters.sealing import Seal
from workers.sandbox.testing import SandboxHandle
from workers.store import Store

CONTACT = "v2.externalcontacts.contacts.{}"
KEY = "gw:bridge:acme:channels"


@pytest.fixture
def service(sandbox: SandboxHandle) -> Iterator[Notifications]:
    with checked(connect(sandbox)) as http:
        yield NotificationService(http=http)


@pytest.fixture
def channels(redis: Redis, redis_url: str) -> Iterator[Channels]:
    store = Store.connect(redis_url)
    yield Channels(store=store, tenant="acme", seal=Seal(key=Fernet.generate_key().decode()))
    store.redis.close()


def test_a_channel_is_made_once_and_used_again(
    channels: Channels, service: Notifications, sandbox: SandboxHandle
) -> None:
    made = channels.ensure("0", service)
    again = replace(channels).ensure("0", service)
    assert again == made
    assert channels.ensure("1", service).id != made.id
    first, _ = sandbox.channels()
    assert first["id"] == made.id
    assert made.life == pytest.approx(86_400, abs=60)


def test_a_channel_that_is_gone_is_replaced(
    channels: Channels, service: Notifications, sandbox: SandboxHandle
) -> None:
    sandbox.options(channel_seconds=0.05)
    made = channels.ensure("0", service)
    wait_until(lambda: not service.is_alive(made.id), 5, "it has expired")
    sandbox.options(channel_seconds=60)
    other = channels.ensure("0", service)
    assert other.id != made.id
    assert other.life == pytest.approx(60, abs=5)


def test_a_channel_that_is_forgotten_is_made_anew(
    channels: Channels, service: Notifications
) -> None:
    made = channels.ensure("0", service)
    channels.forget("0")
    assert channels.ensure("0", service).id != made.id


def test_the_21st_channel_is_never_made(
    channels: Channels, service: Notifications, sandbox: SandboxHandle
) -> None:
    others = NotificationService(http=connect(sandbox))
    for _ in range(MOST_CHANNELS - 1):
        others.create_channel()
    ours = channels.ensure("0", service)
    before = [each["id"] for each in sandbox.channels()]
    with pytest.raises(NoChannelFree, match="20 of 20"):
        channels.ensure("1", service)
    assert [each["id"] for each in sandbox.channels()] == before
    assert channels.ensure("0", service) == ours


def test_where_to_connect_is_sealed(
    channels: Channels, service: Notifications, redis: Redis
) -> None:
    made = channels.ensure("0", service)
    assert made.connect_uri not in repr(made)
    held = redis.hget(KEY, "0")
    assert isinstance(held, bytes)
    assert made.connect_uri.encode() not in held
    assert made.id.encode() not in held
    assert 0 < redis.ttl(KEY) <= 2 * 86_400


@pytest.mark.parametrize("held", [b"", b"plain:[]", b"plain:{", b'plain:{"id": "x"}', b"fernet:x"])
def test_what_cannot_be_read_is_no_channel(
    channels: Channels, service: Notifications, redis: Redis, held: bytes
) -> None:
    redis.hset(KEY, "0", held)
    made = channels.ensure("0", service)
    assert replace(channels).ensure("0", service) == made


@pytest.mark.parametrize("seconds", [-5, 9 * 86_400])
def test_a_life_that_cannot_be_true_counts_as_a_day(
    channels: Channels, service: Notifications, sandbox: SandboxHandle, seconds: float
) -> None:
    body = {
        "id": "streaming-0-x",
        "connectUri": "wss://host/x",
        "expires": "2020-01-01T00:00:00.000Z" if seconds < 0 else "2099-01-01T00:00:00.000Z",
    }
    route = "/api/v2/notifications/channels"
    sandbox.fault(kind="status", status=200, body=body, method="POST", route=route)
    assert channels.ensure("0", service).life == LIFE


@pytest.fixture
def platform_app(cluster: Cluster) -> Iterator[WorkersApp]:
    tenant = platform_tenant(cluster.sandbox)
    cluster.environment["TENANTS_FILE"] = tenants_file(cluster.folder, default=tenant)
    made = create_app(cluster.settings(), cluster.tenants())
    yield made
    made.services.close()


class Slept:
    """Sleeps not at all, and remembers for how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(min(seconds, 0.3))


def test_questions_are_answered_through_the_tenants_budget(
    platform_app: WorkersApp, sandbox: SandboxHandle, redis: Redis
) -> None:
    ask = Asking(platform_app.services, "default")
    made = asyncio.run(ask(lambda service: service.create_channel()))
    assert sandbox.channels()[0]["id"] == made.id
    assert redis.keys("gw:budget:default:genesys*")


def test_both_contracts_are_asked(cluster: Cluster, app: WorkersApp) -> None:
    ask = Asking(app.services, "default")
    assert asyncio.run(ask(lambda service: service.channels_in_use())) == 0


def test_a_429_pauses_the_system_for_all_and_is_waited_for(
    platform_app: WorkersApp, sandbox: SandboxHandle, redis: Redis
) -> None:
    sleep = Slept()
    ask = Asking(platform_app.services, "default", sleep)
    headers = {"Retry-After": "30"}
    sandbox.fault(kind="status", status=429, headers=headers, method="GET")
    paused: list[int] = []

    async def count() -> int:
        asking = asyncio.create_task(ask(lambda service: service.channels_in_use()))
        while not sleep.seconds:
            assert not asking.done()
            await asyncio.sleep(0.01)
        paused.append(await asyncio.to_thread(redis.pttl, "gw:pause:default:genesys"))
        redis.delete("gw:pause:default:genesys")
        return await asking

    assert asyncio.run(count()) == 0
    assert 20_000 < paused[0] <= 30_000
    assert max(sleep.seconds) <= 30.0


def test_what_the_service_refuses_is_raised(
    platform_app: WorkersApp, sandbox: SandboxHandle
) -> None:
    ask = Asking(platform_app.services, "default")
    sandbox.fault(kind="status", status=403, method="GET")
    with pytest.raises(Forbidden):
        asyncio.run(ask(lambda service: service.channels_in_use()))
    with pytest.raises(NotFound):
        asyncio.run(ask(lambda service: service.subscribe("nobody", [CONTACT.format("c")])))


def test_a_redis_that_is_away_is_the_broker_that_is_away(cluster: Cluster) -> None:
    tenant = platform_tenant(cluster.sandbox)
    cluster.environment["TENANTS_FILE"] = tenants_file(cluster.folder, default=tenant)
    cluster.environment["REDIS_URL"] = "redis://127.0.0.1:1/0"
    app = create_app(cluster.settings(), cluster.tenants())
    with pytest.raises(BrokerAway):
        asyncio.run(Asking(app.services, "default")(lambda service: service.channels_in_use()))
    app.services.close()
