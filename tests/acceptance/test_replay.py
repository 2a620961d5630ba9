"""Every kind of dead letter that real workers leave: shown, mended, replayed, and done once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from redis import Redis

from tests.support.cluster import Cluster
from tests.support.raw_messages import raw
from tests.support.tenants import tenant, tenants_file
from tests.support.waiting import wait_until
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.cli.main import run
from workers.letters.dead_letters import DeadLetter
from workers.sandbox.testing import SandboxHandle

CONVERSATIONS = "/api/v2/conversations/voice/participants"
EMBED: dict[str, Any] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
LONG_PAST = "2020-01-01T00:00:00+00:00"

#: Runs a command towards a cluster, and returns what it said.
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def cluster(redis: Redis, redis_url: str, sandbox: SandboxHandle, folder: Path) -> Cluster:
    """A cluster that seals what it keeps, and gives up after the second 503."""
    environment = {
        "TENANTS_FILE": tenants_file(folder, default=tenant(sandbox)),
        "SEAL_KEY": Fernet.generate_key().decode(),
        "ERROR_POLICY__5XX__TRIES": "2",
        "ERROR_POLICY__5XX__FIRST_WAIT": "0.1",
        "ERROR_POLICY__409__TRIES": "2",
    }
    return Cluster(
        redis=redis, redis_url=redis_url, sandbox=sandbox, folder=folder, environment=environment
    )


@pytest.fixture(autouse=True)
def nothing_kept(cluster: Cluster) -> None:
    cluster.sandbox.clear_faults()
    for name in list(cluster.redis.scan_iter("gw:dead-letters*")):
        cluster.redis.delete(name)


def command(cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `dead-letters` as a script does."""
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", "dead-letters", *arguments],
        env=cluster.variables(),
        cwd=cluster.folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `dead-letters` likewise, in this process."""

    def command(cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
        with monkeypatch.context() as set_up:
            for name, value in cluster.variables().items():
                set_up.setenv(name, value)
            set_up.chdir(cluster.folder)
            code = run(["dead-letters", *arguments])
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, said.out, said.err)

    return command


def one_letter(app: WorkersApp) -> DeadLetter:
    letters = app.services.dead_letters
    wait_until(lambda: letters.count() == 1, 30, "the message is kept")
    (found,) = letters.letters()
    return found


def a_call(cluster: Cluster) -> str:
    name = f"call-{uuid4().hex[:8]}"
    cluster.sandbox.put("conversations", name, {"participants": [{}]})
    return name


def set_tier(call: str) -> dict[str, Any]:
    return {"conversation_id": call, "attributes": {"tier": "gold"}}


def effects(cluster: Cluster, message_id: str) -> int:
    return len([each for each in cluster.sandbox.effects() if each["correlation_id"] == message_id])


def send_refused(cluster: Cluster, name: str, status: int) -> None:
    fault = {"route": CONVERSATIONS, "kind": "status", "status": status, "times": None}
    cluster.sandbox.fault(**fault)
    message = raw([[], set_tier(a_call(cluster)), EMBED], headers={"id": name})
    cluster.redis.lpush("attributes", message)


def send_expired(cluster: Cluster, name: str) -> None:
    headers = {"id": name, "expires": LONG_PAST}
    message = raw([[], set_tier(a_call(cluster)), EMBED], headers=headers)
    cluster.redis.lpush("attributes", message)


def send_revoked(cluster: Cluster, name: str) -> None:
    cluster.redis.zadd("gw:revoked", {name: 1})
    message = raw([[], set_tier(a_call(cluster)), EMBED], headers={"id": name})
    cluster.redis.lpush("attributes", message)


#: How a message comes to be a letter, and its status then.
MENDED: dict[str, tuple[Callable[[Cluster, str], None], str]] = {
    "rejected": (lambda cluster, name: send_refused(cluster, name, 403), "rejected"),
    "conflicting": (lambda cluster, name: send_refused(cluster, name, 409), "conflict"),
    "exhausted": (lambda cluster, name: send_refused(cluster, name, 503), "failed"),
    "expired": (send_expired, "failed"),
    "revoked": (send_revoked, "failed"),
}


@pytest.mark.parametrize("kind", MENDED)
def test_what_was_kept_is_shown_replayed_and_done_once(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess, here: Command, kind: str
) -> None:
    send, status = MENDED[kind]
    name = f"m-{uuid4()}"
    send(cluster, name)
    letter = one_letter(app)
    assert (letter.status, letter.message_id, letter.operation_id) == (status, name, name)
    cluster.wait_until_quiet()
    cluster.sandbox.clear_faults()
    sealed: Any = cluster.redis.hget("gw:dead-letters:payloads", letter.id)
    assert sealed.startswith(b"fernet:")
    shown = here(cluster, "show", letter.id, "--payload")
    assert json.loads(shown.stdout)["payload"]["arguments"]["attributes"] == {"tier": "gold"}
    assert effects(cluster, name) == 0
    replayed = here(cluster, "replay", letter.id)
    assert (replayed.returncode, replayed.stderr) == (0, "replayed 1, refused 0\n")
    wait_until(lambda: effects(cluster, name) == 1, 30, "it is done")
    cluster.wait_until_quiet()
    assert effects(cluster, name) == 1
    assert app.services.dead_letters.count() == 0
    last = app.services.audit.newest("default", 1)[0]
    assert (last["status"], last["operation_id"]) == ("done", name)


#: What stands on a queue, and why it is refused for good.
KEPT = {
    "unregistered": (
        raw([[], {}, EMBED], headers={"task": "no_such_task"}),
        "task: is not a task of this installation",
    ),
    "undecodable": (b"\x80\x04\x95 a pickle", "message: cannot be read as JSON"),
    "oversized": (b"x" * 5_000_000, "message: must not be larger than 1048576 bytes"),
    "of another shape": (raw([[], {}]), "body: must be [args, kwargs, embed]"),
    "invalid": (raw([[], {"colour": "red"}, EMBED]), "conversation_id: is required"),
    "positional": (raw([["a-call"], {}, EMBED]), "arguments: must be keyword arguments"),
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_no_worker_can_take_is_shown_refused_and_can_be_discarded(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess, here: Command, kind: str
) -> None:
    content, reason = KEPT[kind]
    cluster.redis.lpush("attributes", content)
    letter = one_letter(app)
    cluster.wait_until_quiet()
    assert here(cluster, "show", letter.id, "--payload").returncode == 0
    refused = here(cluster, "replay", letter.id)
    assert refused.returncode == 1
    assert f"{letter.id}: {reason}" in refused.stderr
    assert one_letter(app) == letter
    discarded = here(cluster, "discard", letter.id)
    assert (discarded.returncode, discarded.stderr) == (0, "discarded 1, refused 0\n")
    assert app.services.dead_letters.count() == 0


def test_with_another_key_nothing_is_lost(
    cluster: Cluster, app: WorkersApp, worker: WorkerProcess
) -> None:
    send_expired(cluster, f"m-{uuid4()}")
    letter = one_letter(app)
    other = {**cluster.environment, "SEAL_KEY": Fernet.generate_key().decode()}
    wrong = replace(cluster, environment=other)
    line = "SEAL_KEY: is not the key this was sealed with\n"
    shown = command(wrong, "show", letter.id, "--payload")
    assert (shown.returncode, shown.stdout, shown.stderr) == (2, "", f"genesys-workers: {line}")
    refused = command(wrong, "replay", letter.id)
    assert refused.returncode == 1
    assert f"{letter.id}: {line}" in refused.stderr
    assert command(cluster, "replay", letter.id).returncode == 0
