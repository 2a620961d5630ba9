"""`genesys-workers schema`: what producers may send, as JSON Schema."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from workers.cli import tasks
from workers.schema import message_schema, messages_schema


def schema(
    task: Annotated[
        str | None,
        typer.Argument(callback=tasks.known, autocompletion=tasks.complete, help="One task only."),
    ] = None,
) -> None:
    """Print the JSON Schema of all messages, or of the keyword arguments of one TASK.

    **Examples**

    `genesys-workers schema > messages.schema.json`

    `genesys-workers schema merge_profiles`
    """
    found = message_schema(task) if task else messages_schema()
    print(json.dumps(found, indent=2, ensure_ascii=False))
