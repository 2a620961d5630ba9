"""JSON Schemas of the public messages, for producers in any language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from tasks.messages import PUBLIC

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def message_schema(task: str) -> dict[str, Any]:
    """Return the schema of the keyword arguments of one public `task`."""
    model = PUBLIC[task]
    schema = model.model_json_schema()
    return {"$schema": DIALECT, **schema, "title": model.task, "x-queue": model.queue}


def messages_schema(tasks: Iterable[str] = tuple(PUBLIC)) -> dict[str, Any]:
    """Return one schema of several tasks: `$defs` holds what they share, `properties` a task each.

    An instance is an object with one task's name and its keyword arguments.
    """
    models = [PUBLIC[task] for task in tasks]
    references, shared = models_json_schema([(model, "validation") for model in models])
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
