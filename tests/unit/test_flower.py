"""Who may look at Flower, and what it may keep of producers' events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from tasks.errors import SettingsError
from workers.cli.main import MISUSED, run
from workers.flower import access
from workers.flower.events import masking
from workers.flower.queues import rows
from workers.settings import Settings
from workers.tenants import tenant_names

OPEN = "needs a password to be seen at"


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting but what a test gives, and no `.env` file."""
    monkeypatch.chdir(tmp_path)
    for name in ("USER", "PASSWORD", "BASIC_AUTH", "AUTH", "MAX_TASKS", "URL_PREFIX"):
        monkeypatch.delenv(f"FLOWER_{name}", raising=False)


@pytest.mark.parametrize(
    ("options", "variables", "line"),
    [
        ("--address 0.0.0.0", {}, f"{OPEN} 0.0.0.0: set FLOWER_PASSWORD"),
        ("--address ::", {}, f"{OPEN} ::"),
        ("--address 0.0.0.0", {"PASSWORD": ""}, f"{OPEN} 0.0.0.0"),
        ("--address no.such.host.invalid", {}, f"{OPEN} no.such.host.invalid"),
        ("--allow-control", {}, "needs a password for --allow-control"),
        ("", {"BASIC_AUTH": "admin"}, "FLOWER_BASIC_AUTH: needs a user and a password"),
        ("", {"BASIC_AUTH": "admin:x,:y"}, "FLOWER_BASIC_AUTH: needs a user and a password"),
        ("", {"PASSWORD": "p", "USER": ""}, "FLOWER_PASSWORD: needs a user and a password"),
        ("", {"PASSWORD": "päss"}, "FLOWER_PASSWORD: user and password must be printable ASCII"),
        ("", {"PASSWORD": "p", "USER": "a:b"}, "FLOWER_USER: must not contain a colon"),
        (
            "",
            {"PASSWORD": "p", "MAX_TASKS": "many"},
            "FLOWER_…: a variable of Flower's own has a wrong",
        ),
        ("--persistent no/such/folder/seen", {"PASSWORD": "p"}, "--persistent: no/such/folder/"),
        ("--persistent .", {"PASSWORD": "p"}, "--persistent: . is no file"),
        ("--port 65536", {"PASSWORD": "p"}, "'--port'"),
    ],
)
def test_what_must_not_be_shown_is_one_line_and_exit_code_2(
    alone: None,
    options: str,
    variables: dict[str, str],
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"FLOWER_{name}", value)
    assert run(["flower", *options.split()]) == MISUSED
    said = capsys.readouterr().err
    assert line in said.splitlines()[-1]
    assert said.splitlines()[-1].startswith("genesys-workers: ")
    assert "päss" not in said


def test_an_empty_address_is_every_address() -> None:
    with pytest.raises(SettingsError, match=r"seen at \*"):
        access.check("", protected=False, control=False)


def test_without_flower_it_is_said_what_to_install(
    alone: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("workers.cli.flower.util.find_spec", lambda _: None)
    assert run(["flower"]) == MISUSED
    assert "install genesys-workers[flower]" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_this_machine_alone_may_look_without_a_password(address: str) -> None:
    access.check(address, protected=False, control=False)


def test_a_password_may_contain_a_comma_and_a_colon_and_others_may_be_listed() -> None:
    settings = Settings(
        _env_file=None,
        flower_user="ann",
        flower_password=SecretStr("a,b:c"),
        flower_basic_auth=SecretStr("bob:x,eve:y"),
    )
    assert access.credentials(settings) == ["bob:x", "eve:y", "ann:a,b:c"]
    assert "a,b:c" not in repr(settings)


def test_tenants_are_named_without_their_secrets(tmp_path: Path) -> None:
    path = tmp_path / "tenants.toml"
    path.write_text('[tenants.acme]\nclient_secret_env = "NOT_SET"\n[tenants.zeta]\n', "utf-8")
    assert tenant_names(Settings(_env_file=None, tenants_file=path)) == ["acme", "zeta"]
    assert tenant_names(Settings(_env_file=None)) == ["default"]


SENT = {
    "type": "task-sent",
    "hostname": "gen7@producer",
    "timestamp": 1.0,
    "clock": 7,
    "uuid": "m-1",
    "root_id": "m-1",
    "name": "merge_profiles",
    "queue": "merge.acme",
    "routing_key": "merge.acme",
}


@pytest.mark.parametrize(
    "said",
    [
        {"args": "('canary',)", "kwargs": "{'name': 'canary'}"},
        {"parent_id": "a canary", "exchange": "a canary"},
        {"result": "canary", "exception": "canary", "traceback": "canary", "state": "canary"},
    ],
)
def test_a_producers_event_is_kept_without_what_it_says_of_its_arguments(
    said: dict[str, str],
) -> None:
    kept: list[Any] = []
    masking(kept.append)({**SENT, **said})
    assert kept == [{**SENT, **({"exchange": "?"} if "exchange" in said else {})}]


def test_a_producers_event_without_an_id_is_not_kept() -> None:
    kept: list[Any] = []
    masking(kept.append)({**SENT, "uuid": "jane doe"})
    assert kept == []


def test_a_workers_event_is_kept_as_it_is() -> None:
    kept: list[Any] = []
    event = {"type": "task-received", "uuid": "m-1", "kwargs": "{contact_id}"}
    masking(kept.append)(event)
    assert kept == [event]


class Refusing:
    """A Redis whose user may do little, as a pipeline tells of it."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.answers: list[Any] = []

    def time(self) -> tuple[int, int]:
        return 1_000, 0

    def pipeline(self, *, transaction: bool) -> Refusing:
        assert not transaction
        return self

    def __enter__(self) -> Refusing:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __getattr__(self, command: str) -> Any:
        usual = {"sort": [b"merge"], "hgetall": {}, "zrangebyscore": []}.get(command, 1)
        refusal = redis.exceptions.NoPermissionError(command)
        return lambda *_, **__: self.answers.append(refusal if command in self.refused else usual)

    def execute(self, *, raise_on_error: bool) -> list[Any]:
        assert not raise_on_error
        return self.answers


@pytest.mark.parametrize(
    ("refused", "shown"),
    [
        ((), (7, 5, 1, 1, 0)),
        (("sort",), (6, 5, None, 1, 0)),
        (("hgetall",), (7, 5, 1, 1, None)),
        (("llen", "zcount", "sort", "hgetall"), (None, None, None, None, None)),
    ],
)
def test_what_flowers_user_of_redis_may_not_know_is_left_open(
    refused: tuple[str, ...], shown: tuple[int | None, ...]
) -> None:
    (row,) = rows(Refusing(*refused), ["merge"], 30)
    kinds = ("messages", "messages_ready", "messages_unacknowledged", "messages_delayed")
    assert tuple(row[each] for each in (*kinds, "consumers")) == shown
