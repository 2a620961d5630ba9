"""Replay and discard: letters go once, in one step with what comes of them, or not at all."""

from __future__ import annotations

import base64
import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest
from celery import chain
from cryptography.fernet import Fernet

from tests.support.cluster import Cluster
from tests.support.cranked import CrankedWorker
from tests.support.letters import park
from tests.support.raw_messages import raw
from workers.app import Services
from workers.cli.main import FAILED, MISUSED, run
from workers.cli.rates import operator
from workers.consuming.parking import park as park_message
from workers.letters.clearing import DESK, STEP, STEP_BYTES, Clearing, Occupied, steps
from workers.letters.dead_letters import DeadLetter, DeadLetters
from workers.letters.replay import Replay
from workers.letters.sealing import Seal
from workers.sending.outbox import Outbox

Captured = pytest.CaptureFixture[str]

CONVERSATIONS = "/api/v2/conversations/voice/participants"
EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


@pytest.fixture
def here(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster to which this process' environment leads, with a call to work on."""
    cluster.sandbox.put("conversations", "a-call", {"participants": [{}]})
    for name, value in cluster.variables().items():
        monkeypatch.setenv(name, value)
    return cluster


@pytest.fixture
def services(here: Cluster, cranked: CrankedWorker) -> Services:
    return cranked.app.services


@pytest.fixture
def letters(services: Services) -> DeadLetters:
    return services.dead_letters


def set_tier(**changes: Any) -> dict[str, Any]:
    return {"conversation_id": "a-call", "attributes": {"tier": "gold"}, **changes}


def letter(name: str = "m-1", **changes: Any) -> DeadLetter:
    facts = {
        "id": f"default:{name}",
        "task": "set_attributes",
        "queue": "attributes",
        "tenant": "default",
        "status": "failed",
        "reason": "genesys answered 503",
        "attempts": 8,
        "at": 1.0,
    }
    return DeadLetter(**{**facts, **changes})


def kept(letters: DeadLetters, count: int = 1, **changes: Any) -> list[DeadLetter]:
    """Keep so many letters of messages that a worker would carry out."""
    made = [letter(f"m-{number}", at=float(number), **changes) for number in range(1, count + 1)]
    for each in made:
        park(letters, each, json.dumps(set_tier()).encode())
    return made


def clearing(services: Services, by: str = "jane@desk") -> Clearing:
    outbox = Outbox(app=services.producer.app, store=services.store, keep=3_600)
    replay = Replay(letters=services.dead_letters, tenants=services.tenants, outbox=outbox)
    return Clearing(replay=replay, audit=services.audit, by=by)


def effects(cluster: Cluster) -> int:
    return len(cluster.sandbox.effects(kind="participant.attributes"))


def queued(cluster: Cluster, queue: str = "attributes") -> list[dict[str, Any]]:
    """Return the messages that wait in a queue, the next one first."""
    found: Any = cluster.redis.lrange(queue, 0, -1)
    return [json.loads(each) for each in reversed(found)]


def everything(cluster: Cluster) -> dict[bytes, Any]:
    """Return all that Redis holds."""
    names: Any = cluster.redis.scan_iter()
    return {name: cluster.redis.dump(name) for name in names}


def records(services: Services) -> list[dict[str, Any]]:
    return list(services.audit.records("default"))


def replay(*options: str) -> int:
    return run(["dead-letters", "replay", *options])


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How an operation comes to be a letter, and what is mended before the replay."""

    fault: dict[str, Any]
    status: str
    reason: str


FAILURES = {
    "refused": Failure(fault={"status": 403}, status="rejected", reason="genesys answered 403"),
    "overtaken": Failure(fault={"status": 409}, status="conflict", reason="genesys answered 409"),
    "exhausted": Failure(fault={"status": 503}, status="failed", reason="genesys answered 503"),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("operation_id", [None, "o-1"], ids=["by its message", "named"])
def test_an_operation_that_failed_is_done_by_its_replay_with_one_effect(
    here: Cluster, cranked: CrankedWorker, name: str, operation_id: str | None
) -> None:
    failure = FAILURES[name]
    here.sandbox.fault(route=CONVERSATIONS, kind="status", times=None, **failure.fault)
    named = {"operation_id": operation_id} if operation_id else {}
    sent = cranked.send("set_attributes", set_tier(**named), "attributes")
    assert cranked.drain("attributes")[-1].state == "FAILURE"
    here.sandbox.clear_faults()
    (kept,) = cranked.app.services.dead_letters.letters()
    assert (kept.status, kept.reason.startswith(failure.reason)) == (failure.status, True)
    assert replay(kept.id) == 0
    (waiting,) = queued(here)
    assert waiting["headers"]["id"] != sent
    assert cranked.app.services.dead_letters.count() == 0
    (turn,) = cranked.drain("attributes")
    assert turn.result["status"] == "done"
    assert turn.result["operation_id"] == (operation_id or sent)
    assert effects(here) == 1


def test_what_the_tenant_could_not_do_is_done_when_it_can(
    here: Cluster, cranked: CrankedWorker
) -> None:
    connections: Any = cranked.app.services.runner.connections
    whole = connections["default"]
    without = whole.tenant.model_copy(update={"sync": None})
    connections["default"] = replace(whole, tenant=without)
    contact = here.sandbox.ids("contacts")[0]
    cranked.send("sync_profile", {"contact_id": contact}, "sync")
    cranked.drain("sync")
    connections["default"] = whole
    assert [each.status for each in cranked.app.services.dead_letters.letters()] == ["unsupported"]
    assert replay() == 0
    (turn,) = cranked.drain("sync")
    assert turn.result["status"] == "done"
    assert len(here.sandbox.effects(kind="customer.attributes")) == 1


@pytest.mark.parametrize("reason", ["expires: was over before it could run", "revoked", "killed"])
def test_a_whole_message_that_never_ran_runs_when_it_is_replayed(
    here: Cluster, cranked: CrankedWorker, reason: str
) -> None:
    headers = {"id": "m-1", "expires": "2020-01-01T00:00:00+00:00", "eta": "2099-01-01T00:00:00Z"}
    here.redis.zadd("gw:revoked", {"m-1": 1})
    content = raw([[], set_tier(), EMBED], headers=headers)
    about = {"id": "m-1", "task": "set_attributes"}
    park_message(cranked.app.services, content, queue="attributes", headers=about, reason=reason)
    assert replay("attributes:m-1") == 0
    (turn,) = cranked.drain("attributes")
    assert (turn.result["status"], turn.result["operation_id"]) == ("done", "m-1")
    assert effects(here) == 1


def test_a_message_goes_on_with_its_chain_and_leaves_its_group(
    here: Cluster, services: Services, letters: DeadLetters
) -> None:
    step = {"task": "sync_profile", "args": [], "kwargs": {"contact_id": "c-1"}, "options": {}}
    embed = {**EMBED, "chain": [step], "chord": {"task": "x"}}
    headers = {"id": "m-1", "group": "g-1", "ignore_result": True}
    park(letters, letter(), raw([[], set_tier(), embed], headers=headers))
    assert replay("default:m-1") == 0
    (message,) = queued(here)
    _, _, sent = json.loads(base64.b64decode(message["body"]))
    assert sent == {**EMBED, "chain": [step]}
    assert message["headers"]["group"] is None
    assert message["headers"]["ignore_result"] is True


def test_an_operation_that_failed_in_a_chain_goes_on_with_it_after_its_replay(
    here: Cluster, cranked: CrankedWorker
) -> None:
    here.sandbox.fault(route=CONVERSATIONS, kind="status", status=403)
    client = cranked.app.services.producer.app
    contact = here.sandbox.ids("contacts")[0]
    first = client.signature("set_attributes", kwargs=set_tier(), queue="attributes")
    second = client.signature("sync_profile", kwargs={"contact_id": contact}, queue="sync")
    chain(first.set(immutable=True), second.set(immutable=True), app=client).apply_async()
    assert [turn.state for turn in cranked.drain("attributes", "sync")] == ["FAILURE"]
    assert replay() == 0
    turns = cranked.drain("attributes", "sync")
    assert [turn.result["status"] for turn in turns] == ["done", "done"]


def test_a_letter_tells_the_last_response_without_its_body(
    here: Cluster, cranked: CrankedWorker
) -> None:
    here.sandbox.fault(route=CONVERSATIONS, kind="status", status=403)
    about = {"operation_id": "o-1", "correlation_id": "corr-1"}
    cranked.send("set_attributes", set_tier(**about), "attributes")
    cranked.drain("attributes")
    (found,) = cranked.app.services.dead_letters.letters()
    assert (found.operation_id, found.correlation_id, found.attempts) == ("o-1", "corr-1", 1)
    answered = dict(found.last_response or {})
    answered.pop("code", None)
    where = {"system": "genesys", "method": "GET", "route": CONVERSATIONS}
    assert answered == {**where, "status": 403}


def test_a_message_of_the_default_queue_goes_to_its_tenants(
    here: Cluster, services: Services, letters: DeadLetters
) -> None:
    park(letters, letter(queue="celery"), json.dumps(set_tier()).encode())
    assert replay() == 0
    assert len(queued(here)) == 1


def test_an_operation_that_was_done_meanwhile_answers_what_it_has_done(
    here: Cluster, cranked: CrankedWorker
) -> None:
    here.sandbox.fault(route=CONVERSATIONS, kind="status", status=403)
    cranked.send("set_attributes", set_tier(operation_id="o-1"), "attributes")
    cranked.drain("attributes")
    cranked.send("set_attributes", set_tier(operation_id="o-1"), "attributes")
    (done,) = cranked.drain("attributes")
    asked = len(here.sandbox.journal())
    assert replay() == 0
    (turn,) = cranked.drain("attributes")
    assert turn.result == done.result
    assert len(here.sandbox.journal()) == asked
    assert effects(here) == 1


def test_an_operation_that_fails_again_is_a_letter_again(
    here: Cluster, cranked: CrankedWorker
) -> None:
    here.sandbox.fault(route=CONVERSATIONS, kind="status", status=403, times=None)
    cranked.send("set_attributes", set_tier(operation_id="o-1"), "attributes")
    cranked.drain("attributes")
    (first,) = cranked.app.services.dead_letters.letters()
    replay()
    cranked.drain("attributes")
    (second,) = cranked.app.services.dead_letters.letters()
    assert second.id != first.id
    here.sandbox.clear_faults()
    replay()
    cranked.drain("attributes")
    assert effects(here) == 1
    assert cranked.app.services.dead_letters.count() == 0


def test_a_letter_that_is_replayed_twice_is_sent_once(
    here: Cluster, letters: DeadLetters, capsys: Captured
) -> None:
    kept(letters)
    assert replay("default:m-1", "default:m-1") == 0
    capsys.readouterr()
    assert replay("default:m-1") == FAILED
    said = capsys.readouterr().err
    assert said == ("genesys-workers: default:m-1: no such dead letter\nreplayed 0, refused 0\n")
    assert len(queued(here)) == 1


def payload(**changes: Any) -> bytes:
    return json.dumps(set_tier(**changes)).encode()


REFUSED: dict[str, tuple[dict[str, Any], bytes, str]] = {
    "undecodable": ({}, b"\x80\x04 pickle", "message: cannot be read as JSON"),
    "oversized": ({}, b"x" * 5_000_000, "message: must not be larger than 1048576 bytes"),
    "unregistered": ({"task": "no_such"}, payload(), "task: is not a task of this installation"),
    "another field": ({}, payload(colour="red"), "colour: is not a known field"),
    "another tenant": ({}, payload(tenant="acme"), "tenant: is not a tenant of this installation"),
    "another's queue": (
        {"queue": "attributes.acme"},
        payload(),
        "tenant: does not own the queue attributes.acme",
    ),
    "positional": (
        {},
        json.dumps([["a-call"], {}]).encode(),
        "arguments: must be keyword argument",
    ),
    "malformed": ({}, raw([[], set_tier()]), "body: must be [args, kwargs, embed]"),
    "no usable id": ({"id": "default:../x"}, payload(), "id: the Celery message's id is no valid"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_worker_could_accept_is_refused_and_kept(
    here: Cluster, letters: DeadLetters, capsys: Captured, name: str
) -> None:
    changes, content, reason = REFUSED[name]
    park(letters, letter(**changes), content)
    before = everything(here)
    assert replay() == FAILED
    said = capsys.readouterr()
    line, count = said.err.splitlines()
    assert f": {reason}" in line
    assert count == "replayed 0, refused 1"
    assert json.loads(said.out)["refused"].startswith(reason)
    assert everything(here) == before


def test_what_is_sealed_with_another_key_is_refused_beside_what_is_not(
    here: Cluster, letters: DeadLetters, capsys: Captured
) -> None:
    kept(letters, 2)
    other = DeadLetters(store=letters.store, seal=Seal(key=Fernet.generate_key().decode()))
    park(other, letter("sealed"), payload())
    assert replay("--yes") == FAILED
    said = capsys.readouterr().err
    assert "default:sealed: SEAL_KEY: is not the key this was sealed with" in said
    assert "replayed 2, refused 1" in said
    assert [each.id for each in letters.letters()] == ["default:sealed"]


@pytest.mark.parametrize("verb", ["replay", "discard"])
def test_a_dry_run_says_what_would_be_done_and_changes_nothing(
    here: Cluster, letters: DeadLetters, capsys: Captured, verb: str
) -> None:
    kept(letters, 3)
    before = everything(here)
    assert run(["dead-letters", verb, "--dry-run", "--limit", "2"]) == 0
    said = capsys.readouterr()
    assert [json.loads(line)["id"] for line in said.out.splitlines()] == [
        "default:m-1",
        "default:m-2",
    ]
    assert said.err == f"would have {verb}ed 2, refused 0\n"
    assert everything(here) == before


@pytest.mark.parametrize("verb", ["replay", "discard"])
def test_several_letters_go_only_where_that_is_confirmed(
    here: Cluster, letters: DeadLetters, capsys: Captured, verb: str
) -> None:
    kept(letters, 3)
    before = everything(here)
    assert run(["dead-letters", verb]) == MISUSED
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert f"is needed to {verb} 3" in said.err
    assert everything(here) == before
    assert run(["dead-letters", verb, "--limit", "1"]) == 0
    assert run(["dead-letters", verb, "--yes"]) == 0
    assert letters.count() == 0


def on_a_terminal(cluster: Cluster, answer: str, *arguments: str) -> tuple[int, str]:
    """Run a command on a terminal of its own; return its exit code and what the screen got."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "workers.cli", "dead-letters", *arguments]
    variables = {**os.environ, **cluster.variables(), "COLUMNS": "200", "TERM": "xterm"}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=variables, cwd=cluster.folder
    ) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        said = b""
        try:
            while part := os.read(ours, 65_536):
                said += part
        except OSError:  # its end, on Linux
            pass
    os.close(ours)
    return process.returncode, said.decode()


@pytest.mark.parametrize(("answer", "left"), [("n\n", 25), ("y\n", 0)])
def test_a_person_is_shown_the_first_ones_and_asked(
    here: Cluster, letters: DeadLetters, answer: str, left: int
) -> None:
    kept(letters, 25)
    code, said = on_a_terminal(here, answer, "replay")
    assert "default:m-20 " in said
    assert "default:m-21 " not in said
    assert "replay 25 dead letters, 5 of them not shown? [y/N]" in said
    assert letters.count() == left
    assert len(queued(here)) == 25 - left
    assert code == (130 if left else 0)


def test_what_fails_again_meanwhile_is_not_replayed_by_the_same_run(
    here: Cluster, letters: DeadLetters
) -> None:
    kept(letters)
    park(letters, letter("later", at=letters.store.now() + 3_600), payload())
    assert replay() == 0
    assert [each.id for each in letters.letters()] == ["default:later"]


def test_a_replay_and_a_discard_leave_a_record_of_who_and_which(
    here: Cluster, services: Services, letters: DeadLetters
) -> None:
    kept(letters, 2)
    replay("default:m-1")
    run(["dead-letters", "discard", "default:m-2"])
    first, second = records(services)
    (message,) = queued(here)
    assert first["letters"] == {"default:m-1": message["headers"]["id"]}
    assert second["letters"] == {"default:m-2": ""}
    assert [each["status"] for each in (first, second)] == ["replayed", "discarded"]
    assert {each["by"] for each in (first, second)} == {operator()}
    assert "gold" not in json.dumps([first, second])


def test_letters_of_a_tenant_that_is_gone_are_recorded_under_the_default_one(
    here: Cluster, services: Services, letters: DeadLetters
) -> None:
    kept(letters, tenant="gone")
    assert run(["dead-letters", "discard", "default:m-1"]) == 0
    (record,) = records(services)
    assert list(record["letters"]) == ["default:m-1"]


class Killed(BaseException):
    """Stands for a SIGKILL: nothing catches it."""


def killing(monkeypatch: pytest.MonkeyPatch, services: Services, *, after: bool) -> None:
    """Let the process die before or after its next commit has reached Redis."""
    run_script = type(services.store).run

    def dying(self: Any, name: str, *arguments: Any) -> Any:
        if name == "commit":
            if after:
                run_script(self, name, *arguments)
            raise Killed
        return run_script(self, name, *arguments)

    monkeypatch.setattr(type(services.store), "run", dying)


@pytest.mark.parametrize("verb", ["replayed", "discarded"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_who_is_killed_around_the_one_step_has_lost_nothing_and_doubled_nothing(
    here: Cluster, services: Services, letters: DeadLetters, verb: str, after: bool
) -> None:
    made = kept(letters, 3)
    one = clearing(services)
    one._take()  # what was killed never leaves
    with pytest.MonkeyPatch.context() as patch:
        killing(patch, services, after=after)
        with pytest.raises(Killed):
            list(getattr(one, verb)(made))
    gone = 3 if after else 0
    assert letters.count() == 3 - gone
    assert len(records(services)) == (1 if after else 0)
    assert len(queued(here)) == (gone if verb == "replayed" else 0)
    another = clearing(services, by="joe@desk")
    with (
        pytest.raises(Occupied, match="by jane@desk is under way, or was stopped"),
        another.begun(),
    ):
        pass
    assert 0 < here.redis.pttl(DESK) <= 60_000
    here.redis.delete(DESK)
    with another.begun():
        list(getattr(another, verb)(made))
    assert letters.count() == 0
    assert len(queued(here)) == (3 if verb == "replayed" else 0)
    names = [name for record in records(services) for name in record["letters"]]
    assert sorted(names) == [each.id for each in made]


def test_who_has_lost_the_desk_takes_nothing_more_away(
    here: Cluster, services: Services, letters: DeadLetters
) -> None:
    made = kept(letters, STEP + 1)
    slow, quick = clearing(services), clearing(services, by="joe@desk")
    with slow.begun():
        acted = slow.replayed(made)
        next(acted)
        here.redis.delete(DESK)  # its minute is over
        with quick.begun():
            with pytest.raises(Occupied, match="by joe@desk"):
                list(acted)
            list(quick.replayed(made))
    assert len(queued(here)) == STEP + 1
    assert letters.count() == 0
    assert not here.redis.exists(DESK)


def test_a_commit_after_the_desk_was_lost_changes_nothing(
    here: Cluster, services: Services, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kept(letters, 3)
    slow = clearing(services)
    write = services.audit.write

    def late(*arguments: Any, **options: Any) -> bool:
        here.redis.delete(DESK)  # its minute ends on the way
        with clearing(services, by="joe@desk").begun():
            return write(*arguments, **options)

    monkeypatch.setattr(type(services.audit), "write", lambda _, *a, **o: late(*a, **o))
    with pytest.raises(Occupied), slow.begun():
        list(slow.replayed(made))
    assert letters.count() == 3
    assert queued(here) == []


def test_a_second_replay_says_whose_is_under_way(
    here: Cluster, services: Services, letters: DeadLetters, capsys: Captured
) -> None:
    kept(letters)
    with clearing(services).begun():
        assert replay() == FAILED
    said = capsys.readouterr().err
    assert "another replay or discard by jane@desk is under way" in said
    assert said.endswith("; replayed 0, refused 0\n")
    assert replay() == 0


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([1] * (STEP + 1), [STEP, 1]),
        ([STEP_BYTES, STEP_BYTES, 1], [1, 1, 1]),
        ([STEP_BYTES + 1], [1]),
        ([STEP_BYTES - 1, 1, 1], [2, 1]),
        ([], []),
    ],
)
def test_no_step_is_long_or_large(sizes: list[int], expected: list[int]) -> None:
    made = [letter(str(uuid4()), size=size) for size in sizes]
    assert [len(step) for step in steps(made)] == expected


#: Options of `discard`, and the letters that are left.
CHOICES: dict[str, list[str]] = {
    "--reason 503 --limit 2 --yes": ["m-3", "o"],
    "--task sync_profile": ["m-1", "m-2", "m-3"],
    "default:o default:m-1 --reason timeout": ["m-1", "m-2", "m-3"],
    "--yes": [],
}


@pytest.mark.parametrize("options", CHOICES)
def test_letters_are_discarded_by_the_filters_of_the_list(
    here: Cluster, letters: DeadLetters, options: str
) -> None:
    kept(letters, 3)
    changes = {"task": "sync_profile", "reason": "timeout", "at": 9.0}
    park(letters, letter("o", **changes), payload())
    assert run(["dead-letters", "discard", *options.split()]) == 0
    assert [each.message_id for each in letters.letters()] == CHOICES[options]
    assert queued(here) == []
