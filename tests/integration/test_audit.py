"""The audit record on a real Redis: one unbroken chain, in one step with what it tells of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import redis as client
from redis import Redis
from structlog.testing import capture_logs

from tests.support import appending
from tests.support.restartable_redis import restartable_redis
from workers.auditing import audit as records
from workers.auditing.audit import Audit
from workers.auditing.audit_check import STREAM, Anchors, Checked, check
from workers.auditing.audit_file import AuditFile, AuditFiles
from workers.cli.main import FAILED, MISUSED, run
from workers.consuming.chain import Link
from workers.remembering.ledger import Claim, Ended, Ledger, entry_of
from workers.store import Store

#: No two records are the same.
NUMBERS = count()

STREAM_KEY, HEAD_KEY = "gw:audit:default", "gw:audit-head:default"


@pytest.fixture
def audit(redis: Redis) -> Audit:
    return Audit(store=Store(redis=redis))


def another(audit: Audit, **changes: Any) -> Audit:
    """Return the audit of another process."""
    return Audit(store=audit.store, keep=audit.keep, **changes)


def verified(audit: Audit, tenant: str = "default", folder: Path | None = None) -> Checked:
    files = [AuditFile.find(path) for path in sorted((folder or Path("/none")).rglob("*.jsonl"))]
    ends = audit.ends(tenant)
    places: dict[str, Iterable[Link]] = {STREAM: audit.links(tenant, last=ends.last_id)}
    places |= {str(file.path): file.links(tenant) for file in files}
    return check(places, Anchors(ends=ends, keep=audit.keep))


def intact(audit: Audit, tenant: str = "default", folder: Path | None = None) -> int:
    """Return how many records are intact, all of them."""
    checked = verified(audit, tenant, folder)
    assert checked.broken is None, str(checked.broken)
    return checked.records


def write(audit: Audit, many: int = 1) -> None:
    for _ in range(many):
        audit.write("default", {"n": next(NUMBERS)})


def entry_ids(redis: Redis) -> list[str]:
    entries: Any = redis.xrange(STREAM_KEY)
    return [entry_id.decode() for entry_id, _ in entries]


def test_threads_of_two_processes_append_one_unbroken_chain(redis_url: str, audit: Audit) -> None:
    command = [sys.executable, "-m", appending.__name__, redis_url]
    processes = [subprocess.Popen([*command, name, "400"]) for name in ("a", "b")]
    assert [process.wait(120) for process in processes] == [0, 0]
    assert intact(audit, "acme") == 800
    written = {(record["by"], record["n"]) for record in audit.records("acme")}
    assert written == {(name, number) for name in ("a", "b") for number in range(400)}


@dataclass(frozen=True, kw_only=True)
class Resending(Store):
    """A store whose client loses the first answer of each script and sends it again."""

    meanwhile: Audit | None = None

    def run(self, *request: Any, **options: Any) -> Any:
        super().run(*request, **options)
        if self.meanwhile:
            write(self.meanwhile, 3)
        return super().run(*request, **options)


@pytest.mark.parametrize("others", [False, True], ids=["alone", "others append meanwhile"])
@pytest.mark.parametrize("owner", ["", "run-1"])
def test_a_request_whose_answer_was_lost_changes_nothing_twice(
    audit: Audit, redis: Redis, owner: str, others: bool
) -> None:
    write(audit, 2)
    redis.hset("entry", "owner", "run-1")
    resending = Resending(redis=redis, meanwhile=audit if others else None)
    commands = [("LPUSH", "merge", "follow-up")]
    kept = Audit(store=resending).write(
        "default", {"n": "once"}, commands=commands, entry="entry", owner=owner
    )
    assert kept
    assert redis.llen("merge") == 1
    assert [each["n"] for each in audit.records("default")].count("once") == 1
    intact(audit)


def test_an_operation_that_ended_without_an_answer_is_not_opened_again(
    audit: Audit, redis: Redis
) -> None:
    ledger = Ledger(store=audit.store, lease=60, keep=3600)
    granted = ledger.claim("default", "op", "run-1", "digest", "message-1")
    assert isinstance(granted, Claim)
    ending = ledger.ending(granted, {"status": "done"}, final=True)
    audit.write("default", {}, commands=ending, entry=entry_of(granted), owner="run-1")
    ledger.put_back(granted)
    assert isinstance(ledger.claim("default", "op", "run-2", "digest", "message-1"), Ended)


@pytest.mark.parametrize("wrong", ["gw:dead-letters", STREAM_KEY, "merge"])
def test_what_cannot_be_done_as_a_whole_is_not_begun(
    audit: Audit, redis: Redis, wrong: str
) -> None:
    redis.hset(wrong, "a", "hash") if wrong == "merge" else redis.set(wrong, "text")
    commands = [("HSET", "entry", "state", "ended"), ("HSET", "gw:dead-letters", "id", "{}")]
    before = sorted(redis.keys())
    with pytest.raises(client.ResponseError, match="WRONGTYPE"):
        audit.write("default", {}, commands=[*commands, ("LPUSH", "merge", "message")])
    assert sorted(redis.keys()) == before


def test_a_command_too_long_for_lua_is_refused_before_the_first_write(
    audit: Audit, redis: Redis
) -> None:
    commands = [("HSET", "entry", "state", "ended"), ("LPUSH", "merge", *["m"] * 9_000)]
    with pytest.raises(client.ResponseError, match="more than 1000 parts"):
        audit.write("default", {}, commands=commands)
    assert redis.keys() == []


def test_a_redis_without_memory_takes_all_or_nothing(audit: Audit, redis: Redis) -> None:
    write(audit)
    redis.config_set("maxmemory", "1")
    try:
        with pytest.raises(client.ResponseError, match="OOM"):
            audit.write("default", {}, commands=[("HSET", "entry", "state", "ended")])
    finally:
        redis.config_set("maxmemory", "0")
    assert not redis.exists("entry")
    assert intact(audit) == 1


def test_a_chain_goes_on_after_a_restart_of_redis(tmp_path: Path) -> None:
    with restartable_redis(tmp_path) as server:
        audit = Audit(store=Store.connect(server.url))
        write(audit, 20)
        server.kill()
        server.start()
        write(audit, 20)
        assert intact(audit) == 40
        audit.store.redis.close()


def disruptions(audit: Audit) -> list[str]:
    return [each["reason"] for each in audit.records("default") if "reason" in each]


@pytest.mark.parametrize("knows", [True, False], ids=["this process", "another process"])
def test_a_lost_head_is_found_in_the_last_record_and_said(
    audit: Audit, redis: Redis, knows: bool
) -> None:
    write(audit, 3)
    redis.delete(HEAD_KEY)
    with capture_logs() as logged:
        write(audit if knows else another(audit))
    assert [each["event"] for each in logged] == ["audit.disrupted"]
    assert disruptions(audit) == ["the head said 0, the last record was 3"]
    assert intact(audit) == 5


def test_a_head_that_is_none_stops_nobody(audit: Audit, redis: Redis) -> None:
    redis.set(HEAD_KEY, "nonsense")
    write(audit)
    assert disruptions(audit) == ["the head said 0, the last record was 0"]
    assert intact(audit) == 2


def test_records_that_are_gone_are_never_written_over(audit: Audit, redis: Redis) -> None:
    write(audit, 5)
    redis.xdel(STREAM_KEY, *entry_ids(redis)[-2:])
    write(another(audit))
    assert [each["number"] for each in audit.records("default")] == [1, 2, 3, 6, 7]
    assert disruptions(audit) == ["the head said 5, the last record was 3"]
    checked = verified(audit)
    assert checked.broken
    assert checked.broken.number == 4


def test_a_redis_that_was_set_back_is_said_and_its_files_tell_what_was_there(
    redis: Redis, tmp_path: Path
) -> None:
    audit = Audit(store=Store(redis=redis), sink=AuditFiles(folder=tmp_path))
    write(audit, 3)
    backup: dict[str, Any] = {name: redis.dump(name) for name in (STREAM_KEY, HEAD_KEY)}
    write(audit, 4)
    for name, dumped in backup.items():
        redis.restore(name, 0, dumped, replace=True)
    write(audit, 1)
    assert disruptions(audit) == ["the last record was 7, of which Redis knows 3"]
    assert intact(audit) == 5
    broken = verified(audit, folder=tmp_path).broken
    assert broken
    assert broken.number == 4


def test_a_trimmed_chain_is_checked_by_its_checkpoints_and_files(
    audit: Audit, redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "CHECKPOINT", 100)
    monkeypatch.setattr(records, "CHECKPOINTS", 3)
    monkeypatch.setattr("workers.auditing.audit_check.CHECKPOINT", 100)
    monkeypatch.setattr("workers.auditing.audit_check.CHECKPOINTS", 3)
    short = Audit(store=audit.store, keep=200, sink=AuditFiles(folder=tmp_path, largest=10_000))
    write(short, 650)
    assert 200 <= int(redis.xlen(STREAM_KEY)) < 600
    assert sorted(short.ends("default").checkpoints) == [400, 500, 600]
    checked = verified(short)
    assert (checked.broken, checked.last.number) == (None, 650)
    assert f"{checked.first - 1} records" in checked.unknown[-2]
    assert len(list(tmp_path.rglob("*.jsonl"))) > 5
    assert intact(short, folder=tmp_path) == 650
    redis.hset("gw:audit-checkpoints:default", "500", "0" * 64)
    assert "record 500: its checkpoint has another hash" in str(verified(short).broken)


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jsonl"))


def test_a_file_holds_what_was_hashed_for_its_owner_only(redis: Redis, tmp_path: Path) -> None:
    audit = Audit(store=Store(redis=redis), sink=AuditFiles(folder=tmp_path / "made"))
    write(audit, 2)
    (path,) = files(tmp_path)
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    texts = [each.text for each in audit.links("default")]
    assert [each["record"] for each in lines] == texts
    assert [each["number"] for each in lines] == [1, 2]
    assert lines[1]["before"] == lines[0]["hash"]
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_folder_that_fails_is_logged_once_and_hides_and_repeats_nothing(
    redis: Redis, tmp_path: Path
) -> None:
    folder = tmp_path / "audit"
    folder.write_text("a file where the folder should be")
    audit = Audit(store=Store(redis=redis), sink=AuditFiles(folder=folder))
    with capture_logs() as logged:
        write(audit, 3)
    assert [each["event"] for each in logged] == ["audit.file_failed"]
    assert intact(audit) == 3
    folder.unlink()
    write(audit, 2)
    assert intact(audit, folder=folder) == 5
    assert len(files(folder)) == 1


def test_a_line_that_was_cut_off_is_left_out_and_what_follows_stands_in_another_file(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = Audit(store=Store(redis=redis), sink=AuditFiles(folder=tmp_path))
    write(audit, 1)
    whole = os.write
    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "write", lambda fd, written: whole(fd, written[:20]))
        write(audit, 1)
    write(audit, 1)
    assert len(files(tmp_path)) == 2
    checked = verified(audit, folder=tmp_path)
    assert checked.broken is None
    assert "1 records that stand in no file, the first of them 2" in checked.unknown[0]


@pytest.fixture
def commands(redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "REDIS_URL": redis_url,
        "GENESYS_API": "guide",
        "GENESYS_API_URL": "http://127.0.0.1:1",
        "GENESYS_LOGIN_URL": "http://127.0.0.1:1",
        "GENESYS_CLIENT_ID": "client",
        "GENESYS_CLIENT_SECRET": "secret",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def exported(folder: Path, *options: str) -> list[dict[str, Any]]:
    path = folder / f"export-{len(options)}.jsonl"
    assert run(["audit", "export", "--file", str(path), *options]) == 0
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.mark.usefixtures("commands")
def test_an_export_is_checked_without_redis_and_every_change_of_it_is_named(
    audit: Audit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(audit, 6)
    lines = exported(tmp_path)
    path = tmp_path / "export-0.jsonl"
    offline = ["audit", "verify", "--offline", "--file", str(path)]
    assert run(offline) == 0
    assert "default: intact: 6 records, 1 to 6\n" in capsys.readouterr().out
    assert run(offline[:2] + offline[3:]) == 0
    capsys.readouterr()
    altered = {**lines[2], "record": lines[2]["record"].replace('"n":', '"n":9')}
    numbered = {**lines[2], "number": 7}
    for changed, said in [
        ([*lines[:2], *lines[3:]], "record 3: missing"),
        ([*lines[:2], lines[3], lines[2], *lines[4:]], "record 3: stands after record 4"),
        ([*lines[:2], altered, *lines[3:]], "record 3: its text or its hash was altered"),
        ([*lines[:2], {**lines[2], "hash": "0"}, *lines[3:]], "record 3: its text or its hash"),
        ([*lines[:2], numbered, *lines[3:]], "record 3: its line says that it is record 7"),
        ([*lines[:2], {}, *lines[3:]], "record 3: in its place in"),
        ([*lines[:2], lines[1], *lines[2:]], "record 2: stands twice in"),
    ]:
        path.write_text("".join(json.dumps(line) + "\n" for line in changed))
        assert run(offline) == FAILED
        assert f"default: broken: {said}" in capsys.readouterr().out


@pytest.mark.usefixtures("commands")
def test_an_export_of_some_time_continues_what_was_before(
    audit: Audit, redis: Redis, tmp_path: Path
) -> None:
    write(audit, 4)
    everything = exported(tmp_path)
    assert [each["before"] for each in everything[:2]] == ["", everything[0]["hash"]]
    none = exported(tmp_path, "--since", "2100-01-01")
    assert none == []
    assert exported(tmp_path, "--until", "2020-01-01", "--tenant", "default") == []
    ids = entry_ids(redis)
    assert audit.hash_before("default", ids[2]) == everything[1]["hash"]
    assert audit.hash_before("default", ids[0]) == ""
    redis.xdel(STREAM_KEY, ids[0])
    assert audit.hash_before("default", ids[1]) is None


@pytest.mark.usefixtures("commands")
def test_verify_compares_redis_with_a_folder_and_says_which_tenants_it_found(
    redis: Redis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = Audit(store=Store(redis=redis), sink=AuditFiles(folder=tmp_path))
    write(audit, 3)
    command = ["audit", "verify", "--dir", str(tmp_path)]
    assert run(command) == 0
    assert capsys.readouterr().out == "default: intact: 3 records, 1 to 3\n"
    redis.xdel(STREAM_KEY, entry_ids(redis)[-1])
    assert run(command) == FAILED
    said = capsys.readouterr().out
    assert "default: broken: record 3: stands in" in said
    assert "is missing from the stream (after 2 records that are intact)" in said
    redis.set(HEAD_KEY, "nonsense")
    assert run(command) == FAILED
    assert capsys.readouterr().out == "default: broken: the stored head is none\n"


@pytest.mark.usefixtures("commands")
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("verify --offline", "there is no file to check"),
        ("verify --file no/such/file", "no/such/file: No such file or directory"),
        ("verify --dir no/such/folder", "no/such/folder: no such folder"),
        ("verify --tenant nobody", "unknown; the tenants are default"),
        ("export --file README.md", "README.md: File exists"),
        ("export --since yesterday", "--since"),
    ],
)
def test_a_wrong_usage_of_audit_is_one_line_and_exit_code_2(
    arguments: str, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    assert run(["audit", *arguments.split()]) == MISUSED
    said = capsys.readouterr()
    assert line in said.err
    assert (said.err.count("\n"), said.out) == (1, "")


@pytest.mark.usefixtures("commands")
def test_tail_goes_on_with_what_is_recorded(audit: Audit, redis_url: str, tmp_path: Path) -> None:
    write(audit, 3)
    command = [sys.executable, "-m", "workers.cli", "audit", "tail", "-n", "1", "--follow"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["number"] == 3
        write(audit, 1)
        assert json.loads(process.stdout.readline())["number"] == 4
        process.terminate()


def test_following_waits_for_a_tenants_first_record(audit: Audit) -> None:
    assert list(audit.following({"default": "0"}, 0.05)) == []
    write(audit)
    (found,) = audit.following({"default": "0"}, 0.05)
    assert (found[0], found[1]["number"]) == ("default", 1)


def test_a_record_that_is_kept_says_its_sink_the_same(audit: Audit) -> None:
    told: list[tuple[str, Link]] = []

    class Told:
        def append(self, tenant: str, record: Link) -> None:
            told.append((tenant, record))

    write(another(audit, sink=Told()), 2)
    stored = list(audit.links("default"))
    assert [("default", each) for each in stored] == [
        (tenant, replace(each, before=None)) for tenant, each in told
    ]
