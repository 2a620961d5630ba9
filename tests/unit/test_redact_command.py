"""`genesys-workers redact`: what people and programs are shown, and nothing is sent anywhere."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from workers.cli import redact
from workers.cli.main import FAILED, MISUSED, run
from workers.settings import Settings

TEXT = "call me at +44 20 7946 0958\nor mail ann@example.com"
CHAT = {
    "id": "i",
    "messages": [
        {"from": "agent", "text": "What is your card number?", "metadata": {"ssn": "123456789"}},
        {"from": "customer", "text": "4111 1111"},
        {"from": "customer", "text": "1111 1111\x1b[31m"},
    ],
}
TENANTS = """
[tenants.acme]
api = "guide"
region = "eu_west_1"
client_id = "acme"
client_secret_env = "ACME_SECRET"
[tenants.acme.redaction]
placeholder = "label"
[[tenants.acme.redaction.entity]]
name = "member"
pattern = 'M\\d{6}'
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings, and no way to open a connection."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(socket.socket, "connect", _refuse, raising=False)


def _refuse(*_: object) -> None:
    raise AssertionError("nothing may leave this machine")


@pytest.fixture
def chat(tmp_path: Path) -> str:
    (tmp_path / "chat.json").write_text(json.dumps(CHAT))
    return "chat.json"


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(["redact", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_text_is_shown_with_what_would_go_in_brackets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["redact", "--text", TEXT]) == 0
    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "call me at [phone: +44 20 7946 0958]" in said
    assert "or mail [email: ann@example.com]" in said
    assert {"phone 1:12", "email 2:9", "phone 1", "email 1"} <= set(said)


def test_on_a_terminal_it_is_highlighted(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, color_system="standard", no_color=False)
    monkeypatch.setattr(redact, "out", console)
    assert run(["redact", "--text", "mail ann@example.com"]) == 0
    assert "mail \x1b[1;7;31mann@example.com\x1b[0m" in shown.getvalue()


def test_a_conversation_is_read_in_order_and_cannot_command_a_terminal(
    chat: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["redact", "--file", chat]) == 0
    said = capsys.readouterr().out
    assert "1 agent metadata.ssn: [ssn: 123456789]" in said
    assert "2 customer text: [credit_card: 4111 1111]" in said
    assert "3 customer text: [credit_card: 1111 1111]\\x1b[31m" in said
    assert "message 3, text, 1:1" in said
    assert "\x1b" not in said


def test_programs_get_places_and_what_is_left_and_no_value(
    chat: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = report(capsys, "--file", chat)
    assert found["counts"] == {"credit_card": 1, "ssn": 1}
    assert found["findings"][0] == {
        "entity": "ssn",
        "message": 1,
        "place": "metadata.ssn",
        "line": 1,
        "column": 1,
    }
    assert [each["text"] for each in found["redacted"]][1:] == ["[REDACTED]", "[REDACTED]\x1b[31m"]
    assert "1111" not in json.dumps(found)


@pytest.mark.parametrize("arguments", [["-"], ["--file", "-"]])
def test_standard_input_is_read(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"mail ann@example.com")))
    assert report(capsys, *arguments)["redacted"] == "mail [REDACTED]"


@pytest.mark.parametrize(
    "text", ['[1, 2, "ann@example.com"]', '{"text": "ann@example.com"}', "[" * 100_000, "{", "[]"]
)
def test_what_is_no_conversation_is_a_text(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    left = report(capsys, "--text", text)["redacted"]
    assert left == text.replace("ann@example.com", "[REDACTED]")


def test_an_array_and_a_listing_are_conversations(capsys: pytest.CaptureFixture[str]) -> None:
    for document in (CHAT["messages"], {"entities": CHAT["messages"]}):
        found = report(capsys, "--text", json.dumps(document))
        assert found["counts"] == {"credit_card": 1, "ssn": 1}


def test_only_the_named_entities_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(capsys, "--text", TEXT, "--entities", "email")["counts"] == {"email": 1}


def test_a_tenants_rules_are_judged_with_its_own_entities(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tenants.toml").write_text(TENANTS)
    monkeypatch.setenv("TENANTS_FILE", "tenants.toml")
    monkeypatch.setenv("ACME_SECRET", "secret")
    found = report(capsys, "--tenant", "acme", "--text", "M123456, ann@example.com")
    assert found["redacted"] == "[MEMBER], [EMAIL]"
    assert run(["redact", "--tenant", "nobody", "--text", "a"]) == MISUSED
    assert "the tenants are acme" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "give one of --text, --file and -"),
        (["--text", "a", "-"], "give one of --text, --file and -"),
        (["chat.json"], "chat.json: is not - ; a file goes with --file"),
        (["--file", "no/such"], "no/such: No such file or directory"),
        (["--file", "."], ".: Is a directory"),
        (["--file", "latin"], "latin: is not UTF-8"),
        (["--text", "a", "--entities", "name"], "names others than email, phone, ssn"),
        (["--text", "a", "--entities", ","], "names others than email, phone, ssn"),
    ],
)
def test_a_wrong_usage_is_one_line(
    arguments: list[str], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "latin").write_bytes(b"\xe9")
    assert run(["redact", *arguments]) == MISUSED
    said = capsys.readouterr()
    assert line in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_detector_that_fails_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tasks.pii.names import Names
    from tasks.pii.search import Search

    broken = Search(others=(Names(model="xx_no_such"),))
    monkeypatch.setattr(redact, "_search", lambda *_: broken)
    assert run(["redact", "--text", "I am Ann"]) == FAILED
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "names: " in said.err


def test_nothing_to_remove_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["redact", "--text", "order 42 [bold]x[/bold]"]) == 0
    said = capsys.readouterr().out
    assert said == "order 42 [bold]x[/bold]\nNothing would be removed.\n"


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["redact", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "genesys-workers redact --text" in said
    assert "exit code is 0" in said
