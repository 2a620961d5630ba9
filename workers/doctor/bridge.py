"""The checks of a tenant's bridge: what it listens to, whether it does, and whether it may."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from tasks.apis.calls import Call
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.errors import RulesError
from workers.doctor import bridges, channels, guide_errands, platform_errands, rules
from workers.doctor.finding import Check, Finding
from workers.doctor.probe import Errand, Prober
from workers.doctor.rules import Listening
from workers.doctor.visit import Visit

#: As `--task` names it.
BRIDGE = "bridge"


def checks(visit: Visit) -> Iterator[Check]:
    """Yield the checks of a bridge, if there is to be one, for which its API is not asked."""
    settings, tenant = visit.tenant.bridge, visit.tenant.name
    if settings is None:
        return
    try:
        what = rules.listening(tenant, settings)
    except RulesError as error:
        refusal = error
        yield _check(visit, "rules", lambda: rules.refused(refusal))
        return
    yield _check(visit, "rules", lambda: rules.heard(what))
    if visit.counted:
        services = visit.services
        yield _check(visit, "queues", lambda: rules.carried_out(services, what))
        yield _check(visit, "processes", lambda: bridges.running(services, what))
        yield _check(visit, "gaps", lambda: bridges.missed(services, tenant))


def asked(visit: Visit, prober: Prober) -> Iterator[Check]:
    """Yield the checks of what the API tells a bridge, and of what it needs there."""
    settings = visit.tenant.bridge
    if settings is None or not settings.listens:
        return
    try:
        what = rules.listening(visit.tenant.name, settings)
    except RulesError:
        # That is told without the API.
        return
    if visit.counted:
        known = _known(visit)
        yield _check(visit, "channels", lambda: channels.free(visit, what))
        yield _check(visit, "topics", lambda: channels.told(visit, what, prober, known))
    if errand := _backfilling(visit, what):
        yield _check(visit, "may backfill", lambda: prober.look(errand))


def _known(visit: Visit) -> Sequence[Call]:
    """Return the calls that tell whether the client has a permission; scopes are for no topics."""
    if visit.tenant.api == "guide":
        return ()
    settings = visit.tenant.platform or PlatformSettings()
    errands = platform_errands.errands(settings, syncs=True)
    return [call for errand in errands for call in errand.probes]


def _backfilling(visit: Visit, what: Listening) -> Errand | None:
    """Return what a backfill needs, if there is anything that it would look for."""
    wanted = what.rules.recoverable(visit.tenant.api)
    if not any(wanted.values()):
        return None
    if visit.tenant.api == "guide":
        return guide_errands.backfilling()
    return platform_errands.backfilling(attributes=wanted["attributes"])


def _check(visit: Visit, what: str, look: Callable[[], Iterable[Finding]]) -> Check:
    return Check(name=f"{visit.tenant.name}: {BRIDGE} {what}", look=look)
