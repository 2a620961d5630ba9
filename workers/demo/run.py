"""The demonstration from its first process to its verdict."""

from __future__ import annotations

import shlex
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from workers.demo import bridged, figures, stage, surroundings
from workers.demo.effects import observed
from workers.demo.known import as_known
from workers.demo.plan import Plan, make_plan
from workers.demo.progress import display
from workers.demo.senders import send
from workers.demo.surroundings import Surroundings
from workers.demo.verdict import Verdict, judge
from workers.demo.watch import expected, watch
from workers.embedded.processes import ProcessFailed
from workers.embedded.program import program
from workers.embedded.redis_server import RedisServer, Source, find
from workers.embedded.system import READY, Blueprint, Bridge, Embedded, embedded
from workers.sandbox.testing import SandboxHandle

#: Problems that are shown; their number is always told.
MOST_PROBLEMS = 25


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the caller wants; `redis` is None for the best there is."""

    messages: int = 400
    seed: int = 7
    keep: bool = False
    redis: Source | None = None


def run(options: Options, console: Console) -> int:
    """Run the demonstration and return the exit code: 0 if nothing was lost or done twice.

    Raises `SettingsError` where no Redis can be started.
    """
    server = find(options.redis)
    folder = Path(tempfile.mkdtemp(prefix="genesys-workers-"))
    failed = True
    try:
        failed = not _run(options, server, folder, console)
    except KeyboardInterrupt:
        failed = False
        raise
    except ProcessFailed as error:
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
    finally:
        if failed:
            console.print(f"The logs are in {folder}", markup=False, soft_wrap=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


def _run(options: Options, server: RedisServer, folder: Path, console: Console) -> bool:
    plan = make_plan(seed=options.seed, messages=options.messages)
    around = Surroundings(folder=folder, messages=plan.messages, contacts=plan.contacts())
    blueprint = Blueprint(
        redis=server,
        variables=around.variables,
        furnish=partial(stage.furnish, around),
        seed=options.seed,
    )

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    with embedded(blueprint, folder, say) as system:
        _introduce(system, plan, around, console)
        sandbox = SandboxHandle(system.sandbox_url)
        bridge = _bridge(system)
        stage.prepare(sandbox, plan, around, bridge.url)
        system.tree.wait_for(bridge.child, lambda: bridged.hears(sandbox), READY)
        verdict = _carry_through(system, sandbox, plan, console)
        _conclude(verdict, console)
        if options.keep:
            _keep(system, folder, console)
        else:
            say("Flower and the audit ended with this run; --keep leaves them running.")
    return verdict.good


def _bridge(system: Embedded) -> Bridge:
    if system.bridge is None:
        raise ProcessFailed("the bridge has not been started")
    return system.bridge


def _introduce(system: Embedded, plan: Plan, around: Surroundings, console: Console) -> None:
    lines = [
        f"rates: {surroundings.RATES}",
        f"budgets: {around.budget} calls a minute per tenant and system",
        f"the sandbox takes {surroundings.PARTICIPANTS_PER_SECOND} calls a second to participants",
        f"sending {plan.messages} messages for {len(plan.planned)} operations of two tenants",
        f"the bridge sends {len(plan.happenings)} of them, of what it hears from the sandbox",
    ]
    if flower := system.flower:
        where = f"Flower: {flower.url} (user {flower.user}, password {flower.password})"
    else:
        where = "Flower: is not installed; the extra genesys-workers[flower] brings it"
    lines.append(f"bridge: {_bridge(system).url}/health")
    for line in (where, *lines):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _carry_through(
    system: Embedded, sandbox: SandboxHandle, plan: Plan, console: Console
) -> Verdict:
    """Send the plan, wait for its end, and show and judge what came of it."""
    started = time.monotonic()
    services = system.app.services
    sender = threading.Thread(target=send, args=(plan, services, sandbox), daemon=True)
    sender.start()
    with display(console, expected(plan)) as show:
        ended = watch(system, plan, sender, show)
    console.print(f"ended after {time.monotonic() - started:.1f} s", highlight=False)
    records = _records(system)
    journal, effects = sandbox.journal(), sandbox.effects()
    plan = as_known(plan, sandbox)
    console.print(figures.table(figures.count(plan, ended=ended, records=records, journal=journal)))
    for line in (bridged.line(_bridge(system).url), _trouble(sandbox), _answers(journal)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return judge(
        plan,
        ended=ended,
        effects=filter(None, map(observed, effects)),
        recorded=_ids(records),
        parked=[each.id.partition(":")[2] for each in services.dead_letters.letters()],
    )


def _records(system: Embedded) -> list[Mapping[str, Any]]:
    services = system.app.services
    return [record for tenant in services.tenants for record in services.audit.records(tenant)]


def _ids(records: Iterable[Mapping[str, Any]]) -> list[str]:
    return [record.get("operation_id") or record["message_id"] for record in records]


def _trouble(sandbox: SandboxHandle) -> str:
    hits: Counter[str] = Counter()
    for fault in sandbox.faults():
        name = f"{fault['kind']} {fault['status']}" if "status" in fault else fault["kind"]
        hits[name] += fault["hits"]
    return f"staged trouble: {_listed(hits)}"


def _answers(journal: Iterable[Mapping[str, Any]]) -> str:
    """Say how the outside systems answered; 0 is a reset before anything was decided."""
    return f"their answers: {_listed(Counter(str(request['status']) for request in journal))}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} × {name}" for name, count in sorted(counts.items()))


def _conclude(verdict: Verdict, console: Console) -> None:
    for problem in verdict.problems[:MOST_PROBLEMS]:
        console.print(problem, markup=False, highlight=False, soft_wrap=True)
    if verdict.good:
        line = (
            f"all {verdict.messages} messages are accounted for, {verdict.told} of them from"
            f" events, and all {verdict.effects} effects happened exactly once"
        )
    else:
        line = f"{len(verdict.problems)} problems"
    console.print(line, highlight=False, soft_wrap=True)


def _keep(system: Embedded, folder: Path, console: Console) -> None:
    """Leave everything running until Ctrl-C, and say how to look at it."""
    path = folder / ".env"
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in system.variables.items()))
    looks = (f"  {line}" for line in ways_to_look(folder))
    for line in ("The audit and the dead letters:", *looks, "Ctrl-C ends all of it."):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    try:
        while True:
            time.sleep(1)
            system.tree.check()
    except KeyboardInterrupt:
        return


def ways_to_look(folder: Path) -> list[str]:
    """Return commands for a shell that show what runs with the `.env` file of `folder`."""
    there = f"cd {shlex.quote(str(folder))} && {program()}"
    return [f"{there} {command}" for command in ("audit tail", "dead-letters list", "status")]
