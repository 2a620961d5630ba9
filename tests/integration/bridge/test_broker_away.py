"""Redis ends, or takes no writes, while a tenant is heard: what is missed then is a gap."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from redis import Redis

from tests.integration.bridge.hearing import TENANT, Heard, hearing
from tests.support.cluster import Cluster
from tests.support.restartable_redis import RestartableRedis, redis_url, server
from tests.support.tenants import platform_tenant, tenants_file
from workers.app import Services, create_app
from workers.sandbox.testing import SandboxHandle

__all__ = ["redis_url", "server"]

CONTACT = "v2.externalcontacts.contacts.a"


@pytest.fixture
def services(cluster: Cluster) -> Iterator[Services]:
    cluster.sandbox.options(heartbeat_seconds=0.1)
    tenant = platform_tenant(cluster.sandbox)
    cluster.environment["TENANTS_FILE"] = tenants_file(cluster.folder, **{TENANT: tenant})
    app = create_app(cluster.settings(), cluster.tenants())
    yield app.services
    app.services.close()


def stop_writes(redis: Redis) -> Callable[[], object]:
    """Let Redis take no writes, as one without its replicas; return what ends that."""
    redis.config_set("min-replicas-to-write", 1)
    return lambda: redis.config_set("min-replicas-to-write", 0)


def assert_missed(heard: Heard, sandbox: SandboxHandle, back: Callable[[], object]) -> None:
    """Assert that the socket is closed until it is `back`, and what was sent is in the gap."""
    heard.wait(lambda: sandbox.effects(kind="socket.closed"), "nothing is heard")
    sandbox.emit(CONTACT, {"n": 1})
    (missed,) = sandbox.events(topic=CONTACT)
    back()
    heard.wait_connected()
    sandbox.emit(CONTACT, {"n": 2})
    heard.wait(lambda: heard.taken.numbers == [2], "it is heard again")
    (gap,) = heard.gaps
    assert gap.reason == "broker away"
    assert gap.start <= missed["at"] <= gap.end
    assert len(sandbox.effects(kind="channel.made")) == 1


def test_a_redis_that_ends_and_starts_again(
    services: Services, sandbox: SandboxHandle, server: RestartableRedis
) -> None:
    with hearing(services, CONTACT) as heard:
        heard.wait_connected()
        server.kill()
        assert_missed(heard, sandbox, server.start)


def test_a_redis_that_takes_no_writes_for_a_while(
    services: Services, sandbox: SandboxHandle, redis: Redis
) -> None:
    with hearing(services, CONTACT) as heard:
        heard.wait_connected()
        assert_missed(heard, sandbox, stop_writes(redis))


def test_a_start_without_redis(
    services: Services, sandbox: SandboxHandle, server: RestartableRedis
) -> None:
    server.kill()
    with hearing(services, CONTACT) as heard:
        assert not heard.connected
        server.start()
        heard.wait_connected()
        assert heard.gaps == []
