"""Every command, variable, path and port that a document names exists as it says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from workers.cli.main import NAME, app
from workers.settings import Settings
from workers.tenants import NAMES_OF_SECRETS

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "workers" / "deploy").glob("*.md")))
TEXT = "\n".join(path.read_text("utf-8") for path in DOCUMENTS)
SOURCE = "".join(path.read_text("utf-8") for path in sorted((ROOT / "workers").rglob("*.py")))
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")

#: Variables of others, and examples of names for secrets.
FOREIGN = re.compile(r"(?:FLOWER|OTEL|ACME|GRAFANA|COMPOSE|REDIS)_\w+")
#: Numbers of a policy that variables end with.
PARTS = {"FIRST", "LONGEST", "DEADLINE", "TRIES", "FIRST_WAIT", "LONGEST_WAIT"}

_CODE = re.compile(r"```\w*\n(.*?)```|`([^`]+)`|^ {4}(.*?)$", re.DOTALL | re.MULTILINE)
_CALL = re.compile(rf"(?<![\w-])(?:\.venv/bin/)?{NAME} ([a-z][^|#;\n]*)")


def _code() -> Iterator[str]:
    """Yield what the documents show as code: fenced, indented, and within lines."""
    for fenced, inline, indented in _CODE.findall(TEXT):
        yield fenced or inline.replace("\n", " ") or indented


def _calls() -> Iterator[str]:
    """Yield the commands that are shown, with or without the program's name."""
    commands: Any = get_command(app)
    for code in _code():
        yield from (call.strip() for call in _CALL.findall(code))
        if code.partition(" ")[0] in commands.commands and "\n" not in code:
            yield code


CALLS = sorted(set(_calls()))


@pytest.mark.parametrize("call", CALLS)
def test_every_command_that_is_shown_exists_with_its_options(call: str) -> None:
    command: Any = get_command(app)
    words = shlex.split(call.replace("…", ""))
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    options = {name for parameter in command.params for name in parameter.opts}
    shown = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
    takes_more = any(each.param_type_name == "argument" for each in command.params)
    assert command.name != NAME
    assert shown <= options | {"--help"}
    assert takes_more or shown or not words


VARIABLES = sorted(
    {each for code in _code() for each in re.findall(r"\b[A-Z]+(?:_[A-Z\d]+)+", code)}
)


@pytest.mark.parametrize("variable", [each for each in VARIABLES if not FOREIGN.fullmatch(each)])
def test_every_variable_that_is_shown_is_read(variable: str) -> None:
    head = variable.partition("__")[0].lower()
    parts = PARTS | {name.upper() for name in NAMES_OF_SECRETS}
    assert head in Settings.model_fields or f'"{variable}"' in SOURCE or variable in parts


PATHS = sorted(set(re.findall(r"`((?:tests|workers|tasks)/[\w./{},*@-]+)`", TEXT)))


@pytest.mark.parametrize("path", PATHS)
def test_every_path_that_is_named_exists(path: str) -> None:
    for each in _alternatives(path):
        assert list(ROOT.glob(each.rstrip("/"))), each


def _alternatives(path: str) -> list[str]:
    """Return the paths that `a/{b,c}.d` stands for."""
    if found := re.search(r"\{([^}]*)\}", path):
        return [path.replace(found[0], each) for each in found[1].split(",")]
    return [path]


PORTS = sorted(set(re.findall(r"(?:127\.0\.0\.1|localhost):(\d{4,5})", TEXT)))


@pytest.mark.parametrize("port", PORTS)
def test_every_port_that_is_named_is_one_of_ours(port: str) -> None:
    assert re.search(rf"\b{port}\b", SOURCE.replace("_", "")) or f":{port}" in COMPOSE


def test_the_documents_show_enough_to_be_tried() -> None:
    assert len(CALLS) > 30
    assert len(VARIABLES) > 20
    assert len(PATHS) > 30
