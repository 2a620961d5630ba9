"""Dead letters: what is kept, found again and shown, as a script and as a person read it."""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from redis import Redis
from rich.console import Console

from tasks.errors import Conflict, NotFound, Rejected
from tests.support.claiming import Claimant, put, terms
from tests.support.cluster import Cluster
from tests.support.letters import park
from tests.support.raw_messages import raw
from workers.cli import dead_letters as command
from workers.cli.letter_views import letters_table
from workers.cli.main import FAILED, MISUSED, run
from workers.consuming import parking
from workers.letters import kept_message
from workers.letters.dead_letters import BATCH, DeadLetter, DeadLetters, Filter, last_response
from workers.letters.sealing import Seal
from workers.store import Store

Captured = pytest.CaptureFixture[str]

ARGUMENTS = {"contact_id": "c-1", "attributes": {"name": "canary"}}
EMBED: dict[str, Any] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


@pytest.fixture
def letters(redis: Redis) -> DeadLetters:
    return DeadLetters(store=Store(redis=redis), seal=Seal())


@pytest.fixture
def here(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster to which this process' environment leads."""
    for name, value in cluster.variables().items():
        monkeypatch.setenv(name, value)
    return cluster


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What commands write where standard output is a terminal, 200 columns wide."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=200, no_color=True)
    monkeypatch.setattr(command, "out", console)
    return written


def letter(number: int, **changes: Any) -> DeadLetter:
    made = DeadLetter(
        id=f"default:m-{number}",
        task="merge_profiles",
        queue="merge",
        tenant="default",
        status="rejected",
        reason=f"[field] {number}: rule",
        attempts=number,
        at=float(number),
    )
    return replace(made, **changes)


def listed(captured: Captured) -> list[dict[str, Any]]:
    return [json.loads(line) for line in captured.readouterr().out.splitlines()]


def test_a_script_gets_one_json_object_a_line(
    here: Cluster, letters: DeadLetters, capsys: Captured
) -> None:
    for number in (2, 1):
        park(letters, letter(number), b"{}")
    assert run(["dead-letters", "list"]) == 0
    assert listed(capsys) == [vars(letter(1, size=2)), vars(letter(2, size=2))]


def test_a_person_sees_ids_and_attempts() -> None:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(letters_table([letter(1), letter(22)]))
    said = capture.get().splitlines()
    heading, first, second = (line.split() for line in said if line.strip(" ─"))
    assert heading == ["when", "id", "task", "tenant", "status", "attempts", "reason"]
    facts = ["merge_profiles", "default", "rejected"]
    assert first[2:] == ["default:m-1", *facts, "1", "[field]", "1:", "rule"]
    assert second[2:] == ["default:m-22", *facts, "22", "[field]", "22:", "rule"]


def test_letters_are_read_in_batches(redis: Redis, letters: DeadLetters) -> None:
    for number in range(1, 2 * BATCH + 202):
        park(letters, letter(number), b"{}")
    redis.config_resetstat()
    assert [each.attempts for each in letters.letters()] == list(range(1, 2 * BATCH + 202))
    commands: Any = redis.info("commandstats")
    assert commands["cmdstat_hmget"]["calls"] == 3
    assert "cmdstat_hget" not in commands


def test_letters_of_one_moment_are_all_found_however_many(letters: DeadLetters) -> None:
    for number in range(2 * BATCH + 10):
        park(letters, letter(number, at=7.0), b"{}")
    found = [each.attempts for each in letters.letters()]
    assert sorted(found) == list(range(2 * BATCH + 10))


def test_another_message_of_the_same_id_hides_none(redis: Redis, letters: DeadLetters) -> None:
    sealing = DeadLetters(store=letters.store, seal=Seal(key=Fernet.generate_key().decode()))
    park(sealing, letter(1), b"sealed")
    for payload in (b"first", b"second", b"first", b"second"):
        park(letters, letter(1), payload)
    found = list(letters.letters())
    assert {each.message_id for each in found} == {"m-1"}
    contents = [sealing.content(each.id) for each in found]
    assert sorted(contents) == [b"first", b"sealed", b"second"]


def test_letters_that_are_removed_while_they_are_read_hide_no_other(letters: DeadLetters) -> None:
    for number in range(2 * BATCH + 10):
        park(letters, letter(number, at=float(number // 100)), b"{}")
    seen = 0
    for each in letters.letters():
        seen += 1
        for remove in letters.removing([each]):
            letters.store.redis.execute_command(*remove)  # type: ignore[no-untyped-call]
    assert seen == 2 * BATCH + 10
    assert letters.count() == 0


def test_no_letter_expires(redis: Redis, letters: DeadLetters) -> None:
    park(letters, letter(1), b"{}")
    names = list(redis.scan_iter("gw:dead-letters*"))
    assert len(names) == 3
    assert {redis.ttl(name) for name in names} == {-1}


OLD = {"at": 1_700_000_000.0}
CHOICES: dict[str, list[str]] = {
    "": ["a", "b", "c", "d", "e"],
    "--tenant acme": ["b"],
    "--task sync_profile": ["c"],
    "--status failed": ["d"],
    "--queue merge.acme": ["b"],
    "--reason NO.SUCH": ["e"],
    "--reason rule --status rejected": ["a", "b", "c"],
    "--tenant acme --status failed": [],
    "--since 2h": ["c", "d", "e"],
    "--until 2h": ["a", "b"],
    "--since 2023-11-14T22:13:20Z --until 2h": ["a", "b"],
    "--since 2023-11-14T22:13:20.001Z --until 2h": ["b"],
    "--until 2023-11-14T22:13:20Z": [],
    "--until 2023-11-14T23:13:21+01:00": ["a"],
    "--limit 2": ["a", "b"],
    "--since 2h --limit 1": ["c"],
}


@pytest.mark.parametrize("options", CHOICES)
def test_filters_choose_letters(
    here: Cluster, letters: DeadLetters, capsys: Captured, options: str
) -> None:
    now = letters.store.now()
    kept: dict[str, dict[str, Any]] = {
        "a": {**OLD},
        "b": {"at": OLD["at"] + 1, "tenant": "acme", "queue": "merge.acme"},
        "c": {"at": now - 60, "task": "sync_profile"},
        "d": {"at": now - 50, "status": "failed"},
        "e": {"at": now - 40, "status": "conflict", "reason": "there is no.such profile"},
    }
    for name, changes in kept.items():
        park(letters, letter(1, id=name, **changes), b"{}")
    assert run(["dead-letters", "list", *options.split()]) == 0
    assert [each["id"] for each in listed(capsys)] == CHOICES[options]


def test_a_terminal_shows_a_hundred_and_says_how_many_more_and_how_old(
    here: Cluster, letters: DeadLetters, terminal: io.StringIO
) -> None:
    now = letters.store.now()
    for number in range(130):
        park(letters, letter(number, at=now - 7_300 + number), b"{}")
    run(["dead-letters", "list"])
    said = terminal.getvalue()
    assert said.endswith("100 of 130 dead letters, the oldest 2 h old; --limit shows more\n")
    assert "m-99 " in said
    assert "m-100 " not in said


def test_a_terminal_is_told_where_there_is_none(here: Cluster, terminal: io.StringIO) -> None:
    run(["dead-letters", "list", "--tenant", "acme"])
    assert terminal.getvalue() == "no dead letters\n"


def test_what_strangers_have_named_moves_no_terminal(
    here: Cluster, letters: DeadLetters, terminal: io.StringIO
) -> None:
    hostile = "[red]\x1b[2J\x07\r\n[/red][link=x]\u202e"
    park(letters, letter(1, id=hostile, reason=hostile, task=hostile), b"\x1b[2J")
    run(["dead-letters", "list"])
    run(["dead-letters", "show", hostile, "--payload"])
    said = terminal.getvalue()
    assert "[red]\\x1b[2J\\x07\\r\\n[/red][link=x]\\u202e" in said.replace("\n", "")
    assert not {"\x1b[2J", "\x07", "\r", "\u202e"} & set(said)


def whole() -> bytes:
    return raw([[], ARGUMENTS, EMBED], headers={"task": "sync_profile", "id": "m-1"})


def compressed() -> bytes:
    body = zlib.compress(json.dumps([[], ARGUMENTS, EMBED]).encode())
    headers = {"task": "sync_profile", "id": "m-1", "compression": "application/x-gzip"}
    return raw(body, headers=headers)


FORMS: dict[str, Callable[[], bytes]] = {
    "the whole message": whole,
    "a compressed one": compressed,
    "its body": lambda: json.dumps([[], ARGUMENTS, EMBED]).encode(),
    "a body without an embed": lambda: json.dumps([[], ARGUMENTS, None]).encode(),
    "positional and keyword arguments": lambda: json.dumps([[1], ARGUMENTS]).encode(),
    "keyword arguments": lambda: json.dumps(ARGUMENTS).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_arguments_are_read_out_of_every_form(
    here: Cluster, letters: DeadLetters, capsys: Captured, form: str
) -> None:
    park(letters, letter(1), FORMS[form]())
    assert letters.payload("default:m-1") == ARGUMENTS
    assert run(["dead-letters", "show", "default:m-1", "--payload"]) == 0
    (shown,) = listed(capsys)
    assert shown["payload"]["arguments"] == ARGUMENTS
    assert shown["payload"].get("positional", []) == ([1] if form.startswith("pos") else [])


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "a pickle": (b"\x80\x04\x95 pickle", "message: cannot be read as JSON"),
    "a number": (b"7", "message: is no Celery task message"),
    "deep": (b"[" * 100_000, "message: cannot be read as JSON"),
    "no properties": (b'{"headers": {}, "body": ""}', "properties: is required"),
    "5 MB": (b"x" * 5_000_000, "message: must not be larger than 1048576 bytes"),
    "another content": (
        raw(b"\x80\x04", changes={"content-type": "application/x-python-serialize"}),
        "message: cannot be read (ContentDisallowed)",
    ),
    "another encoding": (raw(b"\xff\xfe[]"), "message: cannot be read (DecodeError)"),
    "no list of three": (raw([[], {}]), "body: must be [args, kwargs, embed]"),
    "no compressed body": (
        raw(b"x", headers={"compression": "application/x-gzip"}),
        "message: cannot be decompressed",
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_bytes_that_nobody_can_read_are_shown_as_they_are_with_the_reason(
    here: Cluster, letters: DeadLetters, capsys: Captured, name: str
) -> None:
    content, reason = UNREADABLE[name]
    park(letters, letter(1), content)
    assert letters.payload("default:m-1") is None
    assert run(["dead-letters", "show", "default:m-1", "--payload"]) == 0
    (shown,) = listed(capsys)
    assert shown["payload"]["unreadable"].startswith(reason)
    assert base64.b64decode(shown["payload"]["base64"]) == content
    with pytest.raises(Rejected):
        kept_message.read(content)


def test_a_person_sees_the_beginning_of_what_nobody_can_read(
    here: Cluster, letters: DeadLetters, terminal: io.StringIO
) -> None:
    park(letters, letter(1), b"\x80" * 5_000_000)
    run(["dead-letters", "show", "default:m-1", "--payload"])
    assert "and 4,998,000 bytes more" in terminal.getvalue()
    assert len(terminal.getvalue()) < 20_000


def test_show_says_everything_but_the_message_unless_it_is_asked_for(
    here: Cluster, letters: DeadLetters, capsys: Captured
) -> None:
    answer = {"system": "genesys", "method": "GET", "route": "/x/{id}", "status": 403, "code": "c"}
    kept = letter(1, operation_id="o-1", correlation_id="c-1", last_response=answer)
    park(letters, kept, whole())
    assert run(["dead-letters", "show", "default:m-1"]) == 0
    said = capsys.readouterr().out
    assert json.loads(said) == vars(replace(kept, size=len(whole())))
    assert "canary" not in said


def test_a_person_is_told_why_the_message_is_not_shown(
    here: Cluster, letters: DeadLetters, terminal: io.StringIO
) -> None:
    park(letters, letter(1), whole())
    run(["dead-letters", "show", "default:m-1"])
    assert "it may hold personal data; --payload shows it" in terminal.getvalue()
    assert "canary" not in terminal.getvalue()
    run(["dead-letters", "show", "default:m-1", "--payload"])
    assert '"name": "canary"' in terminal.getvalue()


def test_an_unknown_letter_is_one_line_and_exit_code_1(here: Cluster, capsys: Captured) -> None:
    assert run(["dead-letters", "show", "\x1b[2J"]) == FAILED
    assert capsys.readouterr().err == "genesys-workers: '\\x1b[2J': no such dead letter\n"


@pytest.mark.parametrize("key", [None, Fernet.generate_key().decode()], ids=["none", "another"])
def test_a_letter_that_was_sealed_with_another_key_is_one_line_and_exit_code_2(
    here: Cluster,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
    key: str | None,
) -> None:
    seal = Seal(key=Fernet.generate_key().decode())
    park(DeadLetters(store=Store(redis=redis), seal=seal), letter(1), whole())
    if key:
        monkeypatch.setenv("SEAL_KEY", key)
    assert run(["dead-letters", "show", "default:m-1"]) == 0
    capsys.readouterr()
    assert run(["dead-letters", "show", "default:m-1", "--payload"]) == MISUSED
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "genesys-workers: SEAL_KEY: is not the key this was sealed with\n"


def test_a_message_that_is_claimed_is_kept_as_it_stood_on_its_queue(cluster: Cluster) -> None:
    services = cluster.app().services
    named = {**ARGUMENTS, "operation_id": "o-1", "correlation_id": "corr-1"}
    sent = raw([[], named, EMBED], headers={"task": "sync_profile", "id": "m-1"})
    put(cluster.redis, "sync", sent)
    claimed = Claimant(redis=cluster.redis, terms=(terms("sync"),)).claim()
    headers = {"task": "sync_profile", "id": "m-1"}
    parking.park(services, b"{}", queue="sync", headers=headers, reason="revoked", tag=claimed.tag)
    (kept,) = services.dead_letters.letters()
    assert services.dead_letters.content(kept.id) == sent
    assert (kept.id, kept.message_id, kept.size) == ("sync:m-1", "m-1", len(sent))
    assert (kept.operation_id, kept.correlation_id) == ("o-1", "corr-1")
    services.close()


def raised(error: Exception, cause: Exception | None) -> Exception:
    try:
        raise error from cause
    except type(error) as made:
        return made


NOT_FOUND = NotFound(system="genesys", method="GET", route="/x/{id}", status=404, code="gone")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NOT_FOUND, 404),
        (raised(Rejected("no profile"), NOT_FOUND), 404),
        (raised(Conflict("again"), raised(ValueError(), NOT_FOUND)), 404),
        (Rejected("field: rule"), None),
        (None, None),
    ],
)
def test_the_last_response_is_that_of_the_error_or_of_what_it_came_from(
    error: Exception | None, status: int | None
) -> None:
    found = last_response(error)
    assert (found or {}).get("status") == status
    if found:
        known = {"system": "genesys", "method": "GET", "route": "/x/{id}", "code": "gone"}
        assert found == {**known, "status": 404}


def test_reading_many_letters_holds_few_of_them(redis: Redis, letters: DeadLetters) -> None:
    with redis.pipeline(transaction=False) as pipeline:
        for number in range(5 * BATCH):
            for each in letters.parking(letter(number, id=str(uuid4())), b"{}"):
                pipeline.execute_command(*each)  # type: ignore[no-untyped-call]
        pipeline.execute()
    redis.config_resetstat()
    few: Iterable[DeadLetter] = letters.letters(Filter(reason="rule"))
    next(iter(few))
    commands: Any = redis.info("commandstats")
    assert commands["cmdstat_hmget"]["calls"] == 1
