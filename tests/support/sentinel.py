"""A master, its replica, and a Sentinel that watches them, on loopback ports."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from tests.support.waiting import wait_until
from workers.embedded.loopback import HOST, free_port
from workers.embedded.redis_server import find

MASTER = "mymaster"
PASSWORD = "of-the-servers"
SENTINEL_PASSWORD = "of-the-sentinel"

_RULES = f"""\
sentinel monitor {MASTER} {HOST} {{port}} 1
sentinel auth-pass {MASTER} {PASSWORD}
sentinel down-after-milliseconds {MASTER} 1000
sentinel failover-timeout {MASTER} 3000
"""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One process of the group."""

    port: int
    process: subprocess.Popen[bytes]
    password: str

    @property
    def client(self) -> Any:
        return redis.Redis(host=HOST, port=self.port, password=self.password, socket_timeout=5)

    def is_replica(self) -> bool:
        with self.client as client:
            return bool(client.role()[0] == b"slave")

    def answers(self) -> bool:
        with self.client as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@dataclass(frozen=True, kw_only=True)
class Group:
    """The servers that a Sentinel watches as `mymaster`."""

    master: Server
    replica: Server
    sentinel: Server

    @property
    def url(self) -> str:
        """How this project is told of it."""
        return self.url_by(self.sentinel.port)

    def url_by(self, port: int) -> str:
        """Return the URL with the Sentinel on `port`; the first one of the list is away."""
        hosts = f"{HOST}:{free_port()},{HOST}:{port}"
        own = f"sentinel_password={SENTINEL_PASSWORD}"
        return f"sentinel://:{PASSWORD}@{hosts}/{MASTER}/0?{own}"

    def leader(self) -> Server:
        """Return the master, as the Sentinel has it."""
        with self.sentinel.client as client:
            port = int(client.sentinel_get_master_addr_by_name(MASTER)[1])
        return next(each for each in (self.master, self.replica) if each.port == port)

    def is_complete(self) -> bool:
        """Return whether the Sentinel knows a replica that can take over."""
        with self.sentinel.client as client:
            replicas = client.sentinel_slaves(MASTER)
        return any(each["master-link-status"] == "ok" for each in replicas)


#: Stands in front of a port while its block lasts, and gives the port that it is reached by.
Front = Callable[[int], AbstractContextManager[int]]


@contextmanager
def group(folder: Path, front: Front = nullcontext) -> Iterator[Group]:
    """Run a master, its replica and a Sentinel until the block ends.

    The Sentinel knows the master by its `front`, and tells clients of that.
    """
    with ExitStack() as running:
        master = running.enter_context(_server(folder, "master"))
        replica = running.enter_context(
            _server(folder, "replica", "--replicaof", HOST, str(master.port))
        )
        known = running.enter_context(front(master.port))
        sentinel = running.enter_context(_sentinel(folder, known))
        made = Group(master=master, replica=replica, sentinel=sentinel)
        wait_until(made.is_complete, 60, "the Sentinel knows the replica", pause=0.2)
        yield made


@contextmanager
def _server(folder: Path, name: str, *options: str) -> Iterator[Server]:
    port = free_port()
    home = folder / name
    home.mkdir()
    secrets = ("--requirepass", PASSWORD, "--masterauth", PASSWORD)
    command = [*find().command(port, home), *secrets, "--repl-diskless-sync-delay", "0", *options]
    with _running(command, port, PASSWORD) as server:
        yield server


@contextmanager
def _sentinel(folder: Path, master: int) -> Iterator[Server]:
    port = free_port()
    rules = folder / "sentinel.conf"
    rules.write_text(f"requirepass {SENTINEL_PASSWORD}\n{_RULES.format(port=master)}")
    places = ("--bind", HOST, "--port", str(port), "--dir", str(folder))
    command = [str(find().program), str(rules), "--sentinel", *places]
    with _running(command, port, SENTINEL_PASSWORD) as server:
        yield server


@contextmanager
def _running(command: list[str], port: int, password: str) -> Iterator[Server]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    server = Server(port=port, process=process, password=password)
    try:
        wait_until(server.answers, 30, f"{command[0]} answers")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
