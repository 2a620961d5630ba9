"""Servers that cannot carry this project are refused at the start, in one line."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import ResponseError

from tasks.errors import SettingsError
from tests.support.cluster import Cluster, wait_until
from tests.support.refusals import Command, every_command, refused_in_one_line
from tests.support.sentinel import Server
from workers import broker
from workers.embedded.loopback import HOST, free_port
from workers.embedded.redis_server import find
from workers.store import Store

SLOTS = 16_384

#: A node of a cluster listens on the port that is so much higher as well.
BUS = 10_000


def node_port() -> int:
    """Return a free port whose bus port is free, too."""
    while True:
        port = free_port() - BUS
        with suppress(OSError), socket.socket() as listener:
            listener.bind((HOST, port))
            return port


@contextmanager
def started(folder: Path) -> Iterator[Server]:
    """Run a Redis server in cluster mode."""
    port = node_port()
    command = [*find().command(port, folder), "--cluster-enabled", "yes"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    server = Server(port=port, process=process, password="")
    try:
        wait_until(server.answers, 30, "the server answers")
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The only node of a Redis Cluster: every single key could be written."""
    folder = tmp_path_factory.mktemp("node")
    with started(folder) as server, server.client as client:
        client.execute_command("CLUSTER", "ADDSLOTS", *range(SLOTS))
        wait_until(
            lambda: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO"),
            30,
            "the node serves all slots",
        )
        yield server


@pytest.mark.parametrize("database", [0, 1])
@every_command
def test_a_node_of_a_redis_cluster_is_refused_in_one_line(
    cluster: Cluster, node: Server, command: Command, database: int
) -> None:
    refused = replace(cluster, redis_url=f"redis://{HOST}:{node.port}/{database}")
    said = refused_in_one_line(refused, command)
    assert "REDIS_URL: this is a node of a Redis Cluster" in said
    assert "use a single Redis server, or Sentinels by sentinel://" in said
    with node.client as client:
        assert client.dbsize() == 0


def test_a_sentinel_is_told_from_what_it_watches(tmp_path: Path) -> None:
    rules = tmp_path / "sentinel.conf"
    rules.touch()
    port = free_port()
    command = [str(find().program), str(rules), "--sentinel", "--bind", HOST, "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    server = Server(port=port, process=process, password="")
    try:
        wait_until(server.answers, 30, "the Sentinel answers")
        with (
            Store.connect(f"redis://{HOST}:{port}/0").redis as client,
            pytest.raises(SettingsError, match="this is a Sentinel: use sentinel://"),
        ):
            client.ping()
    finally:
        server.kill()


def test_an_older_redis_is_refused_by_its_version(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "OLDEST", (99, 0))
    with (
        Store.connect(redis_url).redis as client,
        pytest.raises(SettingsError, match=r"^REDIS_URL: this is Redis \d.*: use 99\.0 or later$"),
    ):
        client.ping()


def test_a_refused_server_is_refused_again(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "OLDEST", (99, 0))
    with Store.connect(redis_url).redis as client:
        for _ in range(2):
            with pytest.raises(SettingsError):
                client.ping()


def test_a_server_that_tells_nothing_of_itself_is_accepted(redis_url: str, redis: Any) -> None:
    redis.execute_command("ACL", "SETUSER", "quiet", "on", ">secret", "~*", "+@all", "-info")
    try:
        url = redis_url.replace("redis://", "redis://quiet:secret@")
        with Store.connect(url).redis as client:
            assert client.ping()
            with pytest.raises(ResponseError):
                client.info()
    finally:
        redis.execute_command("ACL", "DELUSER", "quiet")


def test_the_first_connection_alone_is_looked_at(redis_url: str, redis: Any) -> None:
    redis.config_resetstat()
    with Store.connect(redis_url).redis as client:
        for _ in range(3):
            client.ping()
            client.connection_pool.disconnect()
    assert redis.info("commandstats")["cmdstat_info"]["calls"] == 1
