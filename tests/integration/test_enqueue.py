from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis
from redis import exceptions as redis_errors

from tasks.messages import SyncProfile
from tests.support.cluster import Cluster
from workers.cli.main import FAILED, INTERRUPTED, run
from workers.sending.outbox import Outbox

GOOD = '{"contact_id": "c-1", "operation_id": "o-1"}\n{"contact_id": "c-2"}\n'
BAD = '{"contact_id": "c-1"}\n{"contact_id": ""}\nnonsense\n{"contact_id": "c-4"}\n'


@pytest.fixture(autouse=True)
def _environment(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cluster.variables().items():
        monkeypatch.setenv(name, value)


def queued(redis: Redis, queue: str = "sync") -> list[tuple[str, dict[str, object]]]:
    """Return id and keyword arguments of every message on a queue, oldest first."""
    found = []
    for raw in reversed(redis.lrange(queue, 0, -1)):
        message = json.loads(raw)
        found.append((message["headers"]["id"], json.loads(_body(message))[1]))
    return found


def _body(message: dict[str, str]) -> str:
    import base64

    return base64.b64decode(message["body"]).decode()


def write(folder: Path, lines: str) -> list[str]:
    path = folder / "lines.jsonl"
    path.write_text(lines)
    return ["enqueue", "sync_profile", "--json", str(path)]


def test_good_lines_are_on_the_queue_in_their_order(
    redis: Redis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(write(tmp_path, GOOD)) == 0
    first, second = queued(redis)
    assert first == ("o-1", {"contact_id": "c-1", "operation_id": "o-1"})
    assert second[1] == {"contact_id": "c-2"}
    assert capsys.readouterr().err == "enqueued 2, refused 0\n"


def test_bad_lines_are_refused_with_their_numbers_and_the_others_enqueued(
    redis: Redis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(write(tmp_path, BAD)) == FAILED
    assert [arguments["contact_id"] for _, arguments in queued(redis)] == ["c-1", "c-4"]
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("genesys-workers: line 2: contact_id: must be 1 to 128 letters")
    assert said[1].startswith("genesys-workers: line 3: is no JSON")
    assert said[2] == "enqueued 2, refused 2"


def test_strictly_nothing_is_enqueued_where_any_line_is_bad(redis: Redis, tmp_path: Path) -> None:
    assert run([*write(tmp_path, BAD), "--strict"]) == FAILED
    assert queued(redis) == []
    assert run([*write(tmp_path, GOOD), "--strict"]) == 0
    assert len(queued(redis)) == 2


def test_a_dry_run_sends_nothing(redis: Redis, tmp_path: Path) -> None:
    assert run([*write(tmp_path, GOOD), "--dry-run"]) == 0
    assert queued(redis) == []


@pytest.mark.parametrize("strict", [[], ["--strict"]])
def test_lines_come_from_a_pipe_too(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, strict: list[str]
) -> None:
    reading, writing = os.pipe()
    os.write(writing, GOOD.encode())
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(pipe))
        assert run(["enqueue", "sync_profile", *strict]) == 0
    assert len(queued(redis)) == 2


@pytest.mark.parametrize(
    ("stop", "code"), [(KeyboardInterrupt(), INTERRUPTED), (redis_errors.ConnectionError(), FAILED)]
)
def test_a_run_that_is_stopped_says_how_far_it_came(
    redis: Redis,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    stop: BaseException,
    code: int,
) -> None:
    put = Outbox.put

    def stopped(outbox: Outbox, message: SyncProfile) -> bool:
        if message.contact_id == "c-4":
            raise stop
        return put(outbox, message)

    monkeypatch.setattr(Outbox, "put", stopped)
    lines = "nonsense\n" + "".join(f'{{"contact_id": "c-{n}"}}\n' for n in range(2, 9))
    assert run(write(tmp_path, lines)) == code
    assert len(queued(redis)) == 2
    assert (
        "genesys-workers: stopped: enqueued 2, refused 1; line 3 was the last one;"
        " line 4 may be on its queue too\n"
    ) in capsys.readouterr().err


def test_an_interrupt_while_it_waits_for_lines_says_how_far_it_came(redis: Redis) -> None:
    command = [sys.executable, "-m", "workers.cli", "enqueue", "sync_profile"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stderr=pipe) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(f"{GOOD}nonsense\n".encode())
        process.stdin.flush()
        # By then it knows that both are on the queue.
        while b"line 3: " not in process.stderr.readline():
            assert process.poll() is None
        assert len(queued(redis)) == 2
        process.send_signal(signal.SIGINT)
        said = process.stderr.read().decode()
    assert process.returncode == INTERRUPTED
    assert "stopped: enqueued 2, refused 1; line 2 was the last one\n" in said


def test_a_line_whose_operation_is_known_is_not_sent_again(
    redis: Redis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = '{"contact_id": "c-1", "operation_id": "op-1"}\n'
    other = '{"contact_id": "c-2", "operation_id": "op-1"}\n'
    assert run(write(tmp_path, line + line)) == 0
    assert run(write(tmp_path, line + other)) == 1
    assert len(queued(redis)) == 1
    said = capsys.readouterr().err
    assert "enqueued 1, known already 1, refused 0" in said
    assert "line 2: operation_id: belongs to an operation with other arguments" in said
