"""Live progress: a bar per task on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

#: Seconds between two lines where there is no terminal.
EVERY = 3.0

Ended = Mapping[str, int]


class Display(Protocol):
    """Shows how many messages of each task have ended."""

    def __call__(self, ended: Ended) -> None: ...


@contextmanager
def display(console: Console, expected: Ended) -> Iterator[Display]:
    """Show progress towards `expected` messages by task while the block runs."""
    if console.is_terminal:
        with _bars(console) as progress:
            bars = {task: progress.add_task(task, total=n) for task, n in sorted(expected.items())}

            def show(ended: Ended) -> None:
                for task, bar in bars.items():
                    progress.update(bar, completed=ended.get(task, 0))

            yield show
    else:
        yield _Lines(console, expected)


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<20}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


class _Lines:
    def __init__(self, console: Console, expected: Ended) -> None:
        self._console = console
        self._expected = expected
        self._next = time.monotonic()

    def __call__(self, ended: Ended) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY
        total = Counter(self._expected).total()
        parts = [f"{task} {ended.get(task, 0)}/{n}" for task, n in sorted(self._expected.items())]
        self._console.print(
            f"{Counter(ended).total()}/{total} ended: {', '.join(parts)}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
