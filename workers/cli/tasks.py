"""The argument TASK, which several commands take."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from tasks.messages import PUBLIC


def complete(beginning: str) -> Iterable[str]:
    """Return the public tasks that begin so, for the shell's completion."""
    return [task for task in PUBLIC if task.startswith(beginning)]


def known(task: str | None) -> str | None:
    """Return `task`; raise `BadParameter` where producers may not send it."""
    if task is not None and task not in PUBLIC:
        raise typer.BadParameter(f"unknown; the tasks are {', '.join(PUBLIC)}")
    return task
