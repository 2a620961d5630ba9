"""JSON Schemas of the public messages, for producers in any language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from tasks.fields import ID_PATTERN, distinct
from tasks.messages import PUBLIC, DeployConfig, Message

DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: An id without `..`; the validator's own regular expressions have no lookahead.
SAFE_ID_PATTERN = ID_PATTERN.replace("^", r"^(?!.*\.\.)", 1)

_NULL = {"type": "null"}
_ID = {"type": "string"}

#: What rules between fields say: one place, and two organisations or more to replicate.
BETWEEN_FIELDS: dict[type, dict[str, Any]] = {
    DeployConfig: {
        "oneOf": [
            {
                "required": ["organization_ids"],
                "properties": {
                    "organization_ids": {"type": "array"},
                    "deployment_id": _NULL,
                    "configuration_id": _NULL,
                },
            },
            {
                "required": ["deployment_id", "configuration_id"],
                "properties": {
                    "organization_ids": _NULL,
                    "deployment_id": _ID,
                    "configuration_id": _ID,
                },
            },
        ],
        "if": {"required": ["replicate"], "properties": {"replicate": {"const": True}}},
        "then": {
            "required": ["organization_ids"],
            "properties": {"organization_ids": {"type": "array", "minItems": 2}},
        },
    }
}


class _Generator(GenerateJsonSchema):
    """Adds what validators of ours check and a JSON Schema can say."""

    def str_schema(self, schema: core_schema.StringSchema) -> dict[str, Any]:
        found = super().str_schema(schema)
        if found.get("pattern") == ID_PATTERN:
            found["pattern"] = SAFE_ID_PATTERN
        return found

    def function_after_schema(
        self, schema: core_schema.AfterValidatorFunctionSchema
    ) -> dict[str, Any]:
        found = super().function_after_schema(schema)
        if schema["function"]["function"] is distinct:
            found["uniqueItems"] = True
        return found

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        return {**super().model_schema(schema), **BETWEEN_FIELDS.get(schema["cls"], {})}


def message_schema(task: str) -> dict[str, Any]:
    """Return the schema of the keyword arguments of one public `task`."""
    model = PUBLIC[task]
    schema = model.model_json_schema(schema_generator=_Generator)
    return {"$schema": DIALECT, **schema, "title": model.task, "x-queue": model.queue}


def argument_schemas(
    reference: str,
) -> tuple[Mapping[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return a reference for each public task, and the schemas that these lead to by name.

    They are written for a document where a schema is found as `reference` says:
    `#/components/schemas/{model}`.
    """
    models: list[tuple[type[Message], Literal["validation"]]] = [
        (model, "validation") for model in PUBLIC.values()
    ]
    found, shared = models_json_schema(models, schema_generator=_Generator, ref_template=reference)
    references = {model.task: found[model, "validation"] for model in PUBLIC.values()}
    return references, shared["$defs"]


def messages_schema(tasks: Iterable[str] = tuple(PUBLIC)) -> dict[str, Any]:
    """Return one schema of several tasks: `$defs` holds what they share, `properties` a task each.

    An instance is an object with one task's name and its keyword arguments.
    """
    models = [PUBLIC[task] for task in tasks]
    references, shared = models_json_schema(
        [(model, "validation") for model in models], schema_generator=_Generator
    )
    return {
        "$schema": DIALECT,
        "title": "Messages of genesys-workers",
        "type": "object",
        "properties": {
            model.task: {**references[model, "validation"], "x-queue": model.queue}
            for model in models
        },
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
        **shared,
    }
