from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tasks.messages import PUBLIC
from workers.schema import message_schema, messages_schema


@pytest.mark.parametrize("task", PUBLIC)
def test_a_schema_names_every_argument_of_its_message_and_takes_no_other(task: str) -> None:
    schema = message_schema(task)
    assert set(schema["properties"]) == set(PUBLIC[task].model_fields)
    assert schema["additionalProperties"] is False
    assert schema["x-queue"] == PUBLIC[task].queue


def test_required_are_the_fields_without_a_default() -> None:
    assert message_schema("merge_profiles")["required"] == [
        "source_profile_ids",
        "target_profile_id",
    ]


def test_the_limits_of_a_message_stand_in_its_schema() -> None:
    sources = message_schema("merge_profiles")["properties"]["source_profile_ids"]
    assert (sources["minItems"], sources["maxItems"]) == (1, 10)


def test_the_schema_of_all_holds_each_task_once() -> None:
    schema = messages_schema()
    assert set(schema["properties"]) == set(PUBLIC)
    assert (schema["minProperties"], schema["maxProperties"]) == (1, 1)


@pytest.mark.parametrize("schema", [messages_schema(), message_schema("deploy_config")])
def test_every_reference_leads_to_a_definition(schema: dict[str, Any]) -> None:
    references = set(_references(schema))
    assert references
    assert references <= {f"#/$defs/{name}" for name in schema["$defs"]}


def test_a_schema_is_json() -> None:
    assert json.loads(json.dumps(messages_schema())) == messages_schema()


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
