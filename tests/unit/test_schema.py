from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import Rejected
from tasks.messages import PUBLIC, parse
from tests.support.json_schema import is_valid
from workers.cli.main import MISUSED, run
from workers.sending.schema import message_schema, messages_schema

ROOT = Path(__file__).parents[2]

#: The generated files of `tasks/schemas`, and what the command `schema` prints each by.
CHECKED_IN = {"messages.schema.json": [], "asyncapi.json": ["--asyncapi"]}


def without(fields: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in fields.items() if key != name}


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
    assert (sources["minItems"], sources["maxItems"]) == (1, 24)


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


@pytest.mark.parametrize("name", CHECKED_IN)
def test_what_is_checked_in_is_what_the_command_prints(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["schema", *CHECKED_IN[name]]) == 0
    kept = resources.files("tasks").joinpath("schemas", name).read_text("utf-8")
    assert kept == capsys.readouterr().out, "the messages have changed: run `make schemas`"


def test_make_schemas_writes_every_file_that_is_checked_in() -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\nschemas:")[2].partition("\n\n")[0]
    for name, options in CHECKED_IN.items():
        command = " ".join(["genesys-workers schema", *options])
        assert f"$(BIN)/{command} > tasks/schemas/{name}\n" in f"{recipe}\n"
    kept = {each.name for each in resources.files("tasks").joinpath("schemas").iterdir()}
    assert kept == set(CHECKED_IN)


def test_the_asyncapi_document_is_about_all_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "sync_profile", "--asyncapi"]) == MISUSED
    assert "is about all tasks" in capsys.readouterr().err


RULE = {"day_of_week": "monday", "start_time": "09:00", "end_time": "17:30"}
THEIRS = {"dayOfWeek": "Friday", "startTime": "00:00", "endTime": "23:59"}
CONFIG = {
    "brand_color": "#003366",
    "font_size": 16,
    "font_family": "'Open Sans', sans-serif",
    "greetings": ["Hello"],
    "availability_rules": [RULE],
}
PLACE = {"deployment_id": "d-1", "configuration_id": "c-1"}


def configured(**changes: Any) -> dict[str, Any]:
    return {"organization_ids": ["org-1"], "config": {**CONFIG, **changes}}


def ruled(*rules: Any) -> dict[str, Any]:
    return configured(availability_rules=list(rules))


def placed(**fields: Any) -> dict[str, Any]:
    return {"config": CONFIG, **fields}


@pytest.mark.parametrize(
    ("task", "arguments", "good"),
    [
        ("deploy_config", configured(), True),
        ("deploy_config", ruled(THEIRS), True),
        ("deploy_config", ruled({**RULE, "day_of_week": "SUNDAY"}, THEIRS), True),
        ("deploy_config", ruled({"dayOfWeek": "monday", **without(RULE, "day_of_week")}), True),
        ("deploy_config", ruled({**RULE, "dayOfWeek": "monday"}), False),
        ("deploy_config", ruled(without(RULE, "end_time")), False),
        ("deploy_config", ruled({**RULE, "day_of_week": "someday"}), False),
        ("deploy_config", ruled({**THEIRS, "endTime": "24:00"}), False),
        ("deploy_config", ruled({**RULE, "start_time": "9:00"}), False),
        ("deploy_config", configured(brand_color="#036"), True),
        ("deploy_config", configured(brand_color="#0033"), False),
        ("deploy_config", configured(background_color="white"), False),
        ("deploy_config", configured(brand_color="#003366\n"), False),
        ("deploy_config", configured(font_family="<b>"), False),
        ("deploy_config", configured(font_family=""), False),
        ("deploy_config", configured(feature_flags={"dark": True}), True),
        ("deploy_config", configured(feature_flags=["dark", 1]), False),
        ("deploy_config", placed(), False),
        ("deploy_config", placed(**PLACE), True),
        ("deploy_config", placed(**PLACE, organization_ids=None), True),
        ("deploy_config", placed(**PLACE, organization_ids=["org-1"]), False),
        ("deploy_config", placed(deployment_id="d-1"), False),
        ("deploy_config", placed(deployment_id="d-1", organization_ids=["org-1"]), False),
        ("deploy_config", placed(deployment_id=None, organization_ids=["org-1"]), True),
        ("deploy_config", placed(organization_ids=["a", "a"]), False),
        ("deploy_config", placed(organization_ids=["a", "b"], replicate=True), True),
        ("deploy_config", placed(organization_ids=["a"], replicate=True), False),
        ("deploy_config", placed(**PLACE, replicate=True), False),
        ("merge_profiles", {"source_profile_ids": ["a"], "target_profile_id": "b"}, True),
        ("merge_profiles", {"source_profile_ids": ["a", "a"], "target_profile_id": "b"}, False),
        ("merge_and_sync", {"source_profile_ids": ["a..b"], "target_profile_id": "b"}, False),
        ("sync_profile", {"contact_id": "a.b.c"}, True),
        ("sync_profile", {"contact_id": "a..b"}, False),
        ("sync_profile", {"contact_id": "a", "customer_id": "../x"}, False),
        ("sync_profile", {"contact_id": "a", "operation_id": "a..b"}, False),
        ("set_attributes", {"conversation_id": "a", "attributes": {"k": "v"}}, True),
        ("set_attributes", {"conversation_id": "a", "attributes": {}}, False),
        ("redact_interaction", {"interaction_id": "a", "entities": ["email"]}, True),
        ("redact_interaction", {"interaction_id": "a", "entities": ["email", "email"]}, False),
        ("redact_completed", {"page_size": 101}, False),
    ],
)  # fmt: skip
def test_a_schema_takes_what_workers_take(task: str, arguments: dict[str, Any], good: bool) -> None:
    assert _is_parsed(task, arguments) is good
    assert is_valid(arguments, message_schema(task)) is good
    assert is_valid({task: arguments}, messages_schema()) is good


def _is_parsed(task: str, arguments: dict[str, Any]) -> bool:
    try:
        parse(PUBLIC[task], arguments)
    except Rejected:
        return False
    return True


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
