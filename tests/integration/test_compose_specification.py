"""docker-compose.yml conforms to the Compose specification, by its own schema and by a linter."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.support import compose
from tests.support.npm import npm_packages

__all__ = ["npm_packages"]

PASSWORDS = {"REDIS_PASSWORD": "a", "FLOWER_PASSWORD": "b"}


@pytest.fixture(scope="module")
def specification(npm_packages: Path) -> Draft7Validator:
    path = npm_packages / "dclint" / "schemas" / "compose.schema.json"
    return Draft7Validator(json.loads(path.read_text("utf-8")))


def faults(specification: Draft7Validator, document: dict[str, Any]) -> list[str]:
    return [str(each.json_path) for each in specification.iter_errors(document)]


def test_the_file_conforms_once_its_variables_are_filled_in(specification: Draft7Validator) -> None:
    assert faults(specification, compose.document(PASSWORDS)) == []


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("healtcheck", {}),
        ("healthcheck", {"test": ["CMD", "true"], "every": "5s"}),
        ("stop_grace_period", 60),
        ("deploy", {"resources": {"limits": {"memory": 1}}}),
        ("cap_drop", "ALL"),
    ],
)
def test_a_mistake_would_be_found(specification: Draft7Validator, key: str, wrong: Any) -> None:
    document = compose.document(PASSWORDS)
    document["services"]["redis"][key] = wrong
    assert faults(specification, document)


def test_the_linter_finds_no_error(npm_packages: Path, tmp_path: Path) -> None:
    program, said = npm_packages / "dclint" / "bin" / "dclint.cjs", tmp_path / "said.json"
    # Node cuts what it writes to a pipe.
    with said.open("wb") as output:
        done = subprocess.run(
            ["node", program, "--formatter", "json", compose.FILE],
            stdout=output,
            timeout=60,
            check=False,
        )
    (told,) = json.loads(said.read_text("utf-8"))
    assert [each["message"] for each in told["messages"] if each["type"] == "error"] == []
    assert told["messages"]  # it has read the file: what it says is of taste
    assert done.returncode == 0
