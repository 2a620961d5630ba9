"""`genesys-workers bridge`: events of Genesys Cloud in, messages out."""

from __future__ import annotations

import typer

from workers.cli.bridge_reconcile import reconcile
from workers.cli.bridge_replay import replay
from workers.cli.bridge_rules import test_rules

app = typer.Typer(
    rich_markup_mode="markdown",
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
)
app.command("test-rules")(test_rules)
app.command()(reconcile)
app.command()(replay)


@app.callback()
def bridge(context: typer.Context) -> None:
    """Turn events of Genesys Cloud into messages, until TERM or Ctrl-C.

    For every tenant with a table `[tenants.NAME.bridge]` it listens to the topics named there (by
    WebSocket, one bridge of all that run at a time), and takes events that Amazon EventBridge
    delivers (`POST /events/NAME` at RECEIVER_ADDRESS, with the tenant's secret in the header
    X-Bridge-Secret). What was missed is backfilled from the API. Health is at `/health`, metrics
    at `/metrics`. A second bridge stands by and takes over within 15 seconds.

    **Examples**

    `genesys-workers bridge`

    `genesys-workers bridge test-rules rules.toml --event event.json`

    `genesys-workers bridge reconcile --since 2026-03-01T08:00:00Z --until 2026-03-01T09:00:00Z`

    `genesys-workers bridge replay events.jsonl`
    """
    if context.invoked_subcommand is not None:
        return
    from workers.bridge.process import run
    from workers.cli.services import services
    from workers.watching import telemetry, tracing

    found = services(tracing.chosen)
    telemetry.configure(level=found.settings.log_level, form=found.settings.log_format)
    raise typer.Exit(run(found))
