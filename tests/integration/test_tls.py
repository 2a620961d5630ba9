"""Redis by TLS: work is carried out, and a certificate that is not trusted stops the start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

from tasks.errors import SettingsError
from tasks.messages import SyncProfile
from tests.support.cluster import Cluster
from tests.support.refusals import Command, every_command, refused_in_one_line
from tests.support.sentinel import group
from tests.support.tls import Authority, authority, tls_front
from workers.embedded.loopback import HOST
from workers.sandbox.testing import SandboxHandle
from workers.sending.producer import Producer
from workers.store import Store


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def port(issued: Authority, redis_url: str) -> Iterator[int]:
    with tls_front(issued.server, urlsplit(redis_url).port or 0) as port:
        yield port


@pytest.fixture
def encrypted(cluster: Cluster, issued: Authority, port: int) -> Cluster:
    """The cluster, reached by TLS."""
    return replace(cluster, redis_url=f"rediss://{HOST}:{port}/0?ssl_ca_certs={issued.ca}")


def carry_out(cluster: Cluster) -> str:
    """Send a message and return how it ended."""
    cluster.sandbox.put_many("contacts", {"c-1": {"attributes": {"tier": "gold"}}})
    cluster.sandbox.put_many("customers", {"c-1": {}})
    producer = Producer(cluster.redis_url)
    sent = producer.publish(SyncProfile(contact_id="c-1"))
    producer.app.close()
    return str(cluster.ending(sent)["result"]["status"])


def test_a_message_is_carried_out_by_tls_alone(encrypted: Cluster) -> None:
    with encrypted.worker() as worker:
        assert carry_out(encrypted) == "done"
        assert "rediss://" in worker.said()


def test_a_message_is_carried_out_by_sentinel_and_tls(
    issued: Authority, shared_sandbox: SandboxHandle, tmp_path: Path
) -> None:
    shared_sandbox.reset()
    with (
        group(tmp_path, front=lambda port: tls_front(issued.server, port)) as watched,
        tls_front(issued.server, watched.sentinel.port) as sentinel,
    ):
        url = watched.url_by(sentinel).replace("sentinel://", "sentinels://")
        url += f"&ssl_ca_certs={issued.ca}"
        with Store.connect(url).redis as client:
            cluster = Cluster(redis=client, redis_url=url, sandbox=shared_sandbox, folder=tmp_path)
            with cluster.worker():
                assert carry_out(cluster) == "done"


@every_command
def test_a_certificate_of_another_authority_is_refused_in_one_line(
    cluster: Cluster, port: int, redis: Redis, command: Command
) -> None:
    distrusting = replace(cluster, redis_url=f"rediss://:Canary7f3a@{HOST}:{port}/0")
    said = refused_in_one_line(distrusting, command)
    assert "REDIS_URL: the server's certificate is not trusted (" in said
    assert "Canary7f3a" not in said
    assert not redis.exists("sync")


def test_a_producer_refuses_a_server_by_a_name_that_its_certificate_does_not_have(
    issued: Authority, port: int, redis: Redis
) -> None:
    producer = Producer(f"rediss://localhost:{port}/0?ssl_ca_certs={issued.ca}")
    with pytest.raises(SettingsError, match="certificate is not trusted"):
        producer.publish(SyncProfile(contact_id="c-1"))
    assert not redis.exists("sync")


def test_a_name_that_differs_can_be_allowed(issued: Authority, port: int, redis: Redis) -> None:
    url = f"rediss://localhost:{port}/0?ssl_ca_certs={issued.ca}&ssl_check_hostname=false"
    producer = Producer(url)
    producer.publish(SyncProfile(contact_id="c-1"))
    producer.app.close()
    assert redis.llen("sync") == 1
