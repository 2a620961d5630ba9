from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tasks.errors import SettingsError
from tests.support.cluster import wait_until
from workers.embedded import redis_server
from workers.embedded.loopback import HOST, free_port
from workers.embedded.processes import ProcessFailed, ProcessTree
from workers.embedded.redis_server import Source, find
from workers.embedded.system import inherited, is_healthy
from workers.sandbox.testing import SandboxHandle

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
STUBBORN = [sys.executable, "-c", DEAF]
PARENT = """
import os, sys, time
from pathlib import Path
from workers.embedded.processes import ProcessTree

tree = ProcessTree(Path(sys.argv[1]))
for name in ("one", "two"):
    tree.start(name, sys.argv[2:], os.environ)
time.sleep(600)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[ProcessTree]:
    with ProcessTree(tmp_path) as tree:
        yield tree


def running_in(folder: Path) -> list[int]:
    """Return the processes whose working directory is `folder`."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _works_in(entry, folder)
    ]


def _works_in(entry: Path, folder: Path) -> bool:
    try:
        return (entry / "cwd").readlink() == folder
    except OSError:
        return False


def test_all_children_end_with_the_block(tmp_path: Path) -> None:
    with ProcessTree(tmp_path) as tree:
        for name in ("one", "two"):
            tree.start(name, SLEEPER, os.environ)
        wait_until(lambda: len(running_in(tmp_path)) == 4, 30, "both run on their leashes")
    assert running_in(tmp_path) == []


def test_a_child_that_ignores_the_request_is_made_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.embedded.processes.GRACE", 0.2)
    with ProcessTree(tmp_path) as tree:
        child = tree.start("stubborn", STUBBORN, os.environ)
        tree.wait_for(child, lambda: "ready" in child.said(), 30)
    wait_until(lambda: not running_in(tmp_path), 10, "it has ended")


def test_a_child_that_ends_by_itself_is_told_with_its_last_words(tree: ProcessTree) -> None:
    words = [sys.executable, "-c", "print('no such thing'); raise SystemExit(3)"]
    child = tree.start("flower", words, os.environ)
    with pytest.raises(ProcessFailed, match=r"flower ended with code 3[^$]*no such thing"):
        tree.wait_for(child, lambda: None, 30)


def test_a_child_that_is_not_ready_in_time_is_told(tree: ProcessTree) -> None:
    child = tree.start("sandbox", SLEEPER, os.environ)
    with pytest.raises(ProcessFailed, match="sandbox is not ready after 0 s"):
        tree.wait_for(child, lambda: None, 0.1)


def test_a_program_that_does_not_exist_is_a_child_that_ended(tree: ProcessTree) -> None:
    child = tree.start("redis", ["/no/such/program"], os.environ)
    with pytest.raises(ProcessFailed, match="/no/such/program"):
        tree.wait_for(child, lambda: None, 30)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_no_child_outlives_a_parent_that_is_killed(tmp_path: Path, ending: int) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), *SLEEPER])
    wait_until(lambda: len(running_in(tmp_path)) == 4, 30, "both run on their leashes")
    parent.send_signal(ending)
    parent.wait(10)
    wait_until(lambda: not running_in(tmp_path), 10, "all have ended")


def test_the_interrupt_of_a_terminal_does_not_reach_the_children(tree: ProcessTree) -> None:
    child = tree.start("one", SLEEPER, os.environ)
    assert os.getpgid(child.process.pid) == child.process.pid != os.getpgid(0)


@pytest.mark.parametrize("source", [Source.wheel, Source.fakeredis])
def test_each_redis_keeps_connections_that_met_errors_and_nothing_else(
    tree: ProcessTree, source: Source
) -> None:
    port = free_port()
    child = tree.start("redis", find(source).command(port, tree.folder), os.environ)
    with redis.Redis(port=port) as client:

        def answers() -> bool:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

        tree.wait_for(child, answers, 20)
        client.set("key", "value")
        with redis.Redis(port=port, single_connection_client=True) as one:
            connection = one.connection
            assert connection
            for _ in range(3):
                connection.send_command("EVALSHA", "0" * 40, 0)
                with pytest.raises(redis.exceptions.NoScriptError):
                    connection.read_response()
        assert client.get("key") == b"value"
    tree.stop()
    assert {path.suffix for path in tree.folder.iterdir()} == {".log"}


def test_a_redis_server_on_path_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = find(Source.wheel).program
    assert wheel
    (tmp_path / "redis-server").symlink_to(wheel)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find()
    assert found.program == tmp_path / "redis-server"
    assert found.description.startswith("redis-server 6.2")
    assert "from PATH" in found.description


def test_without_any_redis_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_server, "_FINDERS", dict.fromkeys(Source, lambda: None))
    with pytest.raises(SettingsError, match="install Redis"):
        find()


def test_settings_of_another_installation_are_not_handed_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("GENESYS_CLIENT_SECRET", "REDIS_URL", "seal_key", "FLOWER_PORT", "CXONE_URL"):
        monkeypatch.setenv(name, "theirs")
    assert "theirs" not in inherited().values()
    assert inherited()["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "all_proxy", "NO_PROXY"])
def test_a_proxy_is_not_handed_down(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert name not in inherited()


def test_health_on_this_machine_is_asked_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch, sandbox: SandboxHandle
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert is_healthy(f"{sandbox.url}/sandbox/health")
    assert not is_healthy(f"{sandbox.url}/no/such/path")


def test_a_free_port_can_be_bound() -> None:
    import socket

    with socket.socket() as listener:
        listener.bind((HOST, free_port()))


def test_a_leash_passes_its_commands_exit_code_on(tree: ProcessTree) -> None:
    child = tree.start("one", [sys.executable, "-c", "raise SystemExit(7)"], os.environ)
    assert child.process.wait(30) == 7
