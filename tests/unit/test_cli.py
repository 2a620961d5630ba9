from __future__ import annotations

import errno
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.messages import PUBLIC
from workers.app import queues as all_queues
from workers.cli.main import FAILED, MISUSED, run
from workers.cli.moments import span
from workers.cli.sandbox import introduction
from workers.cli.worker import chosen, of_kinds
from workers.demo.run import ways_to_look
from workers.embedded.loopback import HOST, reachable
from workers.embedded.program import program
from workers.sandbox.testing import SandboxHandle

TENANT = {
    "GENESYS_API": "guide",
    "GENESYS_API_URL": "http://127.0.0.1:1",
    "GENESYS_LOGIN_URL": "http://127.0.0.1:1",
    "GENESYS_CLIENT_ID": "client",
    "GENESYS_CLIENT_SECRET": "secret",
    "REDIS_URL": "redis://user:password@127.0.0.1:1/0",
}


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TENANT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("nonsense", "No such command 'nonsense'"),
        ("schema nonsense", "the tasks are merge_profiles, merge_and_sync"),
        ("worker --pool gevent", "'gevent' is not one of 'threads', 'prefork'"),
        ("worker --concurrency 0", "'--concurrency'"),
        ("worker --queues merge,merg", "unknown: merg; the queues are attributes, merge"),
        ("worker --kinds lively", "unknown: lively; the kinds are attributes, merge"),
        ("worker --kinds live --queues merge", "cannot be combined with --queues"),
        ("worker --alive /proc/nowhere/alive", "cannot be written: No such file or directory"),
        ("enqueue sync_profile --json no/such/file", "no/such/file: No such file or directory"),
        ("audit tail --tenant nobody", "unknown; the tenants are default"),
        ("audit verify --offline", "there is no file to check"),
        ("dead-letters", "Missing command"),
        ("dead-letters show", "Missing argument 'ID'"),
        ("dead-letters list --status done", "unknown; a letter's status is rejected, conflict,"),
        ("dead-letters list --since yesterday", "neither a time ago such as 90s, 30m, 2h or 7d"),
        ("dead-letters replay --until 2h30m", "'2h30m' is neither a time ago"),
        ("dead-letters discard --limit 0", "'--limit'"),
        ("rates set", "Missing argument 'QUEUE=RATE'"),
        ("rates set merge", "a rate is a number above 0 and a unit"),
        ("rates set merge=fast", "a rate is a number above 0 and a unit"),
        ("rates set merg=2/s", "each rate names a queue (attributes, merge,"),
        ("rates set sync=1/s merge.typo=2/s", "unknown: merge.typo; the queues are attributes,"),
        ("rates set ,", "names none"),
        ("rates pause nobody", "unknown: nobody; the tenants are default"),
        ("status 5", "goes with --watch"),
        ("status --watch 0", "SECONDS"),
        ("status --watch --json", "leave --watch out"),
    ],
)
def test_a_wrong_usage_is_one_line_and_exit_code_2(
    tenant: None, arguments: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments.split()) == MISUSED
    said = capsys.readouterr()
    assert line in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


@pytest.mark.parametrize("command", ["worker", "status", "audit tail", "enqueue sync_profile"])
def test_a_wrong_setting_is_one_line_and_exit_code_2(
    tenant: None,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("QUEUE_RATES", "merge=fast")
    assert run(command.split()) == MISUSED
    said = capsys.readouterr().err
    assert said.startswith("genesys-workers: QUEUE_RATES: ")
    assert said.count("\n") == 1


def test_a_redis_that_cannot_be_reached_is_one_line_without_its_password(
    tenant: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["status"]) == FAILED
    assert capsys.readouterr().err == "genesys-workers: Redis at 127.0.0.1:1: ConnectionError\n"


@pytest.mark.parametrize(
    "command",
    [
        *("", "demo", "worker", "sandbox", "enqueue", "schema", "status", "dead-letters list"),
        *("dead-letters", "dead-letters show", "dead-letters replay", "dead-letters discard"),
        *("dead-letters reseal", "flower"),
        *("rates", "rates set", "rates reset", "rates pause", "rates resume"),
        *("audit tail", "audit export", "audit verify"),
    ],
)
def test_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command.split(), "--help"]) == 0
    said = capsys.readouterr().out
    assert f"genesys-workers {command}".strip() in said
    assert not command or "Example" in said


def test_the_schema_of_one_task_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "sync_profile"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "sync_profile"


def test_queues_are_chosen_by_name_tenants_included() -> None:
    assert chosen(" merge, merge.acme,", ["merge", "merge.acme", "sync"]) == ["merge", "merge.acme"]


@pytest.mark.parametrize(
    ("kinds", "queues"),
    [
        ("merge", ["merge", "merge.acme"]),
        (" sync , merge,", ["merge", "sync", "merge.acme", "sync.acme"]),
        ("live", ["attributes", "attributes.acme", "celery"]),
        ("batch", ["redact", "sweep", "redact.acme", "sweep.acme"]),
        ("normal", [f"{kind}{of}" for of in ("", ".acme") for kind in ("merge", "sync", "deploy")]),
        ("celery", ["celery"]),
        ("live,normal,batch", [queue.name for queue in all_queues(["default", "acme"])]),
    ],
)
def test_queues_are_chosen_by_kind_and_by_class_for_every_tenant(
    kinds: str, queues: list[str]
) -> None:
    known = [queue.name for queue in all_queues(["default", "acme"])]
    assert of_kinds(kinds, known) == queues


def test_the_sandbox_says_how_a_worker_is_connected() -> None:
    said = introduction("http://127.0.0.1:8080", {"guide": "c-1", "platform": "e-1"})
    assert "acme-client  acme-secret  genesys  acme" in said
    assert "GENESYS_API_URL=http://127.0.0.1:8080/genesys" in said
    assert "CXONE_CLIENT_SECRET=sandbox-cxone-secret" in said
    assert "REDIS_URL" in said
    assert 'echo \'{"contact_id": "c-1"}\' | ' in said
    assert "GENESYS_API_URL=http://127.0.0.1:8080/platform" in said
    assert "GENESYS_CLIENT_SECRET=platform-secret" in said
    assert 'echo \'{"contact_id": "e-1"}\' | ' in said
    assert "bin/genesys-workers enqueue sync_profile" in said


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("8.8.8.8", os.strerror(errno.EADDRNOTAVAIL)),
        (HOST, os.strerror(errno.EADDRINUSE)),
    ],
)
def test_a_sandbox_that_cannot_listen_says_so_in_one_line_and_nothing_else(
    host: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["sandbox", "--host", host, "--port", str(port)]) == FAILED
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"genesys-workers: cannot listen on {host}:{port}: {reason}\n"


def test_a_sandbox_on_every_address_names_one_that_answers_and_a_contact_that_is_there() -> None:
    command = [sys.executable, "-m", "workers.cli", "sandbox", "--host", "0.0.0.0", "--port", "0"]  # noqa: S104  # its purpose
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = re.fullmatch(
            r"sandbox listening on (http://127\.0\.0\.1:\d+)\n", process.stdout.readline()
        )
        assert found
        kinds = {"guide": "contacts", "platform": "externalContacts"}
        known = {api: SandboxHandle(found[1]).ids(kind) for api, kind in kinds.items()}
        process.terminate()
        said = process.stdout.read()
    assert process.returncode == 0
    assert "0.0.0.0" not in said  # noqa: S104  # its absence
    messages = re.findall(r"echo '(.+)' \| .* enqueue sync_profile  # (\w+)\n", said)
    assert [api for _, api in messages] == list(kinds)
    assert all(json.loads(message)["contact_id"] in known[api] for message, api in messages)


@pytest.mark.parametrize(
    ("host", "found"),
    [("0.0.0.0", HOST), ("::", "::1"), ("localhost", "localhost"), (HOST, HOST)],  # noqa: S104  # nothing listens
)
def test_a_server_is_found_from_its_own_machine(host: str, found: str) -> None:
    assert reachable(host) == found


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.9, "59 s"), (60, "1 min"), (7_199, "1 h"), (200_000, "2 d")],
)
def test_a_time_is_said_in_its_largest_unit(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_the_shell_completes_tasks() -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "workers.cli"],
        env={
            **os.environ,
            "_GENESYS_WORKERS_COMPLETE": "complete_bash",
            "COMP_WORDS": "genesys-workers enqueue ",
            "COMP_CWORD": "2",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert completed.stdout.split() == list(PUBLIC)


def test_what_a_kept_demonstration_says_works_in_any_shell(tmp_path: Path) -> None:
    folder = tmp_path / "it's here"
    folder.mkdir()
    for line in ways_to_look(folder):
        # Without a PATH there is no activated venv either.
        done = subprocess.run(
            ["/bin/sh", "-c", f"{line} --help"],
            cwd="/",
            env={"PATH": ""},
            capture_output=True,
            check=True,
        )
        assert b"Example" in done.stdout


def test_a_program_without_its_script_is_called_by_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "my python"))
    assert program() == f"'{tmp_path}/my python' -m workers.cli"
