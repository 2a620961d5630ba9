"""The AsyncAPI document is one by the specification's own JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.support.npm import npm_packages
from workers.sending.asyncapi import document

__all__ = ["npm_packages"]


@pytest.fixture(scope="module")
def specification(npm_packages: Path) -> Draft7Validator:
    path = npm_packages / "@asyncapi" / "specs" / "schemas" / f"{document()['asyncapi']}.json"
    return Draft7Validator(json.loads(path.read_text("utf-8")))


def test_the_document_is_valid(specification: Draft7Validator) -> None:
    assert [each.message for each in specification.iter_errors(document())] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"asyncapi": "2.6.0"},
        {"info": {"title": "without a version"}},
        {"channels": {"merge": {"adress": "merge"}}},
        {"operations": {"merge": {"action": "publish", "channel": {"$ref": "#/channels/merge"}}}},
        {"components": {"messages": {"a": {"payload": {"type": "text"}}}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_document_that_breaks_a_rule_is_not(
    specification: Draft7Validator, changes: dict[str, Any]
) -> None:
    assert not specification.is_valid({**document(), **changes})
