"""`genesys-workers schema`: what producers may send, as JSON Schema or as an AsyncAPI document."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from workers.cli import tasks
from workers.sending.schema import message_schema, messages_schema


def schema(
    task: Annotated[
        str | None,
        typer.Argument(callback=tasks.known, autocompletion=tasks.complete, help="One task only."),
    ] = None,
    asyncapi: Annotated[
        bool,
        typer.Option("--asyncapi", help="Queues, messages, examples and results, by AsyncAPI 3.0."),
    ] = False,
) -> None:
    """Print the JSON Schema of all messages, or of the keyword arguments of one TASK.

    **Examples**

    `genesys-workers schema > messages.schema.json`

    `genesys-workers schema merge_profiles`

    `genesys-workers schema --asyncapi > asyncapi.json`
    """
    if task and asyncapi:
        raise typer.BadParameter("is about all tasks: name none", param_hint="--asyncapi")
    print(json.dumps(_chosen(task, asyncapi=asyncapi), indent=2, ensure_ascii=False))


def _chosen(task: str | None, *, asyncapi: bool) -> object:
    if asyncapi:
        from workers.sending.asyncapi import document

        return document()
    return message_schema(task) if task else messages_schema()
