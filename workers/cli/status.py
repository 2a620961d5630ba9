"""`genesys-workers status`: queues, rates, budgets and workers at a glance."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import RenderableType
from rich.live import Live
from rich.text import Text

from workers.cli.console import out
from workers.cli.moments import local_time
from workers.cli.status_tables import MANY, view
from workers.store import INFRASTRUCTURE

if TYPE_CHECKING:
    from workers.app import Services
    from workers.watching.status import Status

#: Seconds between two looks of `--watch`.
PAUSE = 2.0


def status(
    seconds: Annotated[
        float | None,
        typer.Argument(min=0.1, metavar="SECONDS", help=f"Between two looks; else {PAUSE:g}."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again until Ctrl-C.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="Idle queues too, however many.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show what waits in each queue and why, what is spent of each budget, and who works.

    A queue in red holds messages that nobody reads: its tenant's name is mistyped, or no worker
    that lives was started for it. `oldest` is for how long its first message has been waiting,
    `started` counts over the last minute. Of a bridge, `hears` is for how long it has been hearing
    all of its topics, `lag` what half of its events and 99 of a hundred took to become messages,
    and `again` counts what was told once more. JSON has seconds, and messages per second.

    On a screen that is too low for all of it, `--watch` shows the worst rows of each table, and in
    a line below them how many others there are and how it is with those.

    **Examples**

    `genesys-workers status`

    `genesys-workers status --watch 5`

    `genesys-workers status --json | jq '.queues[] | select(.waiting > 0)'`
    """
    from workers.cli.services import services
    from workers.watching.status import look

    if as_json and watch:
        raise typer.BadParameter("shows one look; leave --watch out", param_hint="--json")
    if seconds is not None and not watch:
        raise typer.BadParameter("goes with --watch", param_hint="SECONDS")
    found = services()
    seen = look(found)
    if as_json:
        print(json.dumps(asdict(seen)))
    elif watch:
        _watch(found, seen, seconds or PAUSE, everything=all_)
    else:
        out.print(view(seen, many=None if all_ else MANY).printed())


def _watch(found: Services, seen: Status, pause: float, *, everything: bool) -> None:
    """Look again and again, until Ctrl-C; where Redis is away, go on when it is back."""
    from workers.watching.status import look

    with suppress(KeyboardInterrupt), Live(screen=True, auto_refresh=False, console=out) as live:
        away = ""
        while True:
            live.update(screen(seen, pause, away, everything=everything), refresh=True)
            time.sleep(pause)
            try:
                seen, away = look(found), ""
            except INFRASTRUCTURE as error:
                away = type(error).__name__


def screen(seen: Status, pause: float, away: str, *, everything: bool) -> RenderableType:
    """Return what stands on the screen: where it is too low for all rows, the worst of them."""
    at = local_time(seen.at)
    head = Text(f"{at}, again every {pause:g} s until Ctrl-C", "dim")
    if away:
        head = Text(f"Redis does not answer ({away}): this was seen at {at}", "red")
    head.no_wrap, head.overflow = True, "ellipsis"
    for many in (None,) if everything else (MANY, 0):
        found = view(seen, many=many)
        shown = found.watched(head)
        if found.rows < out.height and len(out.render_lines(shown)) <= out.height:
            return shown
    return view(seen, many=None).fitted(head, out.height)
