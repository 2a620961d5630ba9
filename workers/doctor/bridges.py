"""Whether bridges run for a tenant, whether one of them leads and hears, and what was missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workers.app import Services
from workers.bridge.state.gaps import Gaps
from workers.bridge.watching.reports import GONE, BridgeReport, Reports
from workers.doctor.finding import Finding, bad, ok, warn
from workers.doctor.rules import Listening
from workers.embedded.program import program

MINUTE = 60


def alive(services: Services, tenant: str) -> Sequence[BridgeReport]:
    """Return what the bridges that run for a tenant last said, the one that leads first."""
    now = services.store.now()
    heard = Reports(store=services.store).heard(now)
    return [each for each in heard if each.tenant == tenant and now - each.at <= GONE]


def running(services: Services, what: Listening) -> Iterator[Finding]:
    """Find how the bridges of a tenant are, and whether one hears all of its topics."""
    bridges = alive(services, what.tenant)
    if not bridges:
        yield warn("no bridge runs", f"start one: {program()} bridge")
    elif not what.settings.listens:
        yield ok(f"{len(bridges)} run and take events by HTTP")
    else:
        yield _of_leader(bridges, what)


def _of_leader(bridges: Sequence[BridgeReport], what: Listening) -> Finding:
    first, *others = bridges
    if not first.leads:
        return bad(
            f"{len(bridges)} run and none leads",
            "wait 15 seconds; where none takes over, their logs say why: bridge.cannot_lead",
        )
    wanted = len(what.topics.wanted)
    if first.topics != wanted:
        return warn(
            f"{first.bridge} listens to {first.topics} topics, the settings name {wanted}",
            "start the bridges anew",
        )
    if wanted and first.connected_since is None:
        return bad(
            f"{first.bridge} leads and does not hear all of its {first.topics} topics",
            "its log says why: bridge.not_connected, bridge.disconnected",
        )
    if first.rejected:
        return bad(
            f"{first.rejected} of {first.topics} topics may not be subscribed",
            "bridge.topic_rejected in the log names each, and the permissions that it needs",
        )
    return ok(f"{first.bridge} leads and hears {first.topics} topics, {len(others)} stand by")


def missed(services: Services, tenant: str) -> Iterator[Finding]:
    """Find the times in which nothing was heard, and that are not made up for yet."""
    gaps = Gaps(store=services.store, tenant=tenant).waiting()
    if not gaps:
        yield ok("no gap is open")
        return
    oldest = round((services.store.now() - gaps[0].start) / MINUTE)
    yield warn(
        f"{len(gaps)} gaps are still to be backfilled, the oldest is {oldest} minutes old",
        "the bridge that leads does that; its log says what keeps it: bridge.backfill_failed",
    )
