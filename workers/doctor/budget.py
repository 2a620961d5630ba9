"""Whether an outside system may be called now, and whether its budget is the server's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.apis.calls import Call
from tasks.apis.http import Http
from tasks.errors import WorkerError
from workers.app import Services
from workers.doctor.finding import Finding, ok, warn
from workers.watching.status import SystemStatus, look

#: Share of a budget beyond which there is little left for others.
MUCH = 0.9


def left(services: Services, tenant: str, system: str) -> Iterator[Finding]:
    """Find a pause of the system, and what is left of the tenant's budget for it."""
    for each in look(services).systems:
        if (each.tenant, each.system) == (tenant, system):
            yield _told(each)


def _told(system: SystemStatus) -> Finding:
    spent = f"{system.spent} of {system.limit} calls a minute are spent"
    if system.pause_left is not None:
        return warn(
            f"paused for {system.pause_left:.0f} s, after too many requests",
            "if it happens often, lower requests_per_minute, or end the client's other uses",
        )
    if system.spent >= MUCH * system.limit:
        return warn(spent, "wait a minute; if it is always so, ask the vendor for a higher limit")
    return ok(spent)


def agreed(http: Http, hello: Call, per_minute: int) -> Iterator[Finding]:
    """Find whether the server allows as much as the tenant's budget is, where it tells that."""
    try:
        told = http.call(hello).headers.get("inin-ratelimit-allowed", "")
    except WorkerError:
        return
    allowed = int(told) if re.fullmatch("[0-9]{1,9}", told) else per_minute
    if allowed < per_minute:
        yield warn(
            f"requests_per_minute is {per_minute}, the server allows {allowed}",
            f"set requests_per_minute = {allowed}",
        )
    else:
        yield ok(f"{per_minute} a minute, as far as the server tells")
