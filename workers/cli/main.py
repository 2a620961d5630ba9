"""Reads the command line, runs one command, and turns errors into one line and an exit code.

Commands import what is heavy when they run, so that `--help` and the shell's completion are quick.
"""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.main import get_command

from tasks.errors import SettingsError
from workers import broker
from workers.cli import (
    audit,
    bridge,
    dead_letters,
    demo,
    doctor,
    enqueue,
    flower,
    masking,
    metrics,
    policy,
    rates,
    redact,
    rollback,
    sandbox,
    schema,
    status,
    sync,
    worker,
)
from workers.cli.console import complain
from workers.settings import Settings
from workers.store import INFRASTRUCTURE

NAME = "genesys-workers"

#: Exit codes: a run that failed, a wrong usage or setting, Ctrl-C.
FAILED, MISUSED, INTERRUPTED = 1, SettingsError.exit_code, 130

#: Typer brings its own click or uses the installed one, by version; this is the one in use.
UsageError: Any = typer.BadParameter.__base__

app = typer.Typer(
    name=NAME,
    help=(
        "Carries small messages out against Genesys Cloud and NICE CXone, each exactly once.\n\n"
        "Try it without any account: `genesys-workers demo`"
    ),
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(worker.worker)
app.add_typer(bridge.app, name="bridge")
app.command()(sandbox.sandbox)
app.command()(enqueue.enqueue)
app.command()(schema.schema)
app.command()(status.status)
app.command()(doctor.doctor)
app.command()(metrics.metrics)
app.command()(flower.flower)
app.add_typer(rates.app, name="rates")
app.command()(policy.policy)
app.command()(redact.redact)
app.command()(masking.masking)
app.command()(rollback.rollback)
app.command()(sync.sync)
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(audit.app, name="audit")


def main() -> None:
    """Run the command that the arguments of this process name, and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command that `arguments` name and return the exit code."""
    try:
        code = get_command(app).main(arguments or ["--help"], NAME, standalone_mode=False)
    except UsageError as error:
        complain(f"{_plain(error.format_message())} (see --help)")
        return MISUSED
    except SettingsError as error:
        complain(str(error))
        return MISUSED
    except INFRASTRUCTURE as error:
        if refusal := broker.untrusted(error):
            complain(refusal)
            return MISUSED
        complain(f"Redis at {_broker()}: {type(error).__name__}")
        return FAILED
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def _plain(message: str) -> str:
    """Return a usage error's text without what libraries wrap around it."""
    return message.replace("Value error, ", "").rstrip(".")


def _broker() -> str:
    """Return where Redis was looked for, without the credentials in its URL."""
    return str(broker.parse(Settings.load().redis_url))
