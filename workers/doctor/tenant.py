"""The checks of one tenant: its organisation, its bridge, and what its profiles are synced to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from tasks.apis.genesys_platform.settings import PlatformSettings
from workers.doctor import (
    bridge,
    budget,
    folders,
    guide_errands,
    hosts,
    platform_errands,
    sync,
    tokens,
)
from workers.doctor.finding import Check, Finding
from workers.doctor.probe import Errand, Prober
from workers.doctor.visit import Visit
from workers.outside.systems import GENESYS
from workers.sync_targets import CxoneGuideTarget

#: The tasks that call the sync's target.
SYNCING = ("sync_profile", "merge_and_sync")

Look = Callable[[], Iterable[Finding]]


def sections(visit: Visit, tasks: Collection[str]) -> Iterator[Iterator[Check]]:
    """Yield the checks of each outside system; what one lacks does not keep the next from view.

    What the client may do is asked for `tasks`, for all of them where there are none.
    """
    yield _organization(visit, tasks)
    if _concerned(tasks, (bridge.BRIDGE,)):
        yield bridge.checks(visit)
    if _concerned(tasks, SYNCING):
        for system in visit.connections.lines.keys() - {GENESYS}:
            yield _target(visit, system)


def _organization(visit: Visit, tasks: Collection[str]) -> Iterator[Check]:
    tenant, http = visit.tenant, visit.http(GENESYS)
    yield from _reaching(visit, GENESYS)
    if tenant.api == "platform":
        hello = platform_errands.HELLO
        yield _check(visit, "token", lambda: tokens.greeted(http, hello), basis=True)
        per_minute = tenant.requests_per_minute
        yield _check(visit, "calls a minute", lambda: budget.agreed(http, hello, per_minute))
        prober = Prober(http=http, remedy=platform_errands.REMEDY)
    else:
        question = guide_errands.HELLO
        yield _check(visit, "token", lambda: tokens.taken(http, question), basis=True)
        prober = Prober(http=http, remedy=guide_errands.REMEDY)
    for errand in _errands(visit):
        if _concerned(tasks, errand.tasks):
            yield _probing(visit, prober, errand)
    if _concerned(tasks, (bridge.BRIDGE,)):
        yield from bridge.asked(visit, prober)
    if folder := _settings(visit).archive_folder:
        yield _check(visit, "archive", lambda: folders.writable("archive_folder", folder))


def _target(visit: Visit, system: str) -> Iterator[Check]:
    """Yield the checks of the sync's target."""
    http = visit.http(system)
    yield from _reaching(visit, system)
    if isinstance(visit.tenant.sync, CxoneGuideTarget):
        question = sync.SET_NOTHING
        yield _check(visit, f"{system} token", lambda: tokens.taken(http, question), basis=True)
        prober = Prober(http=http, remedy=sync.SCOPES)
        yield _check(visit, f"{system} may sync_profile", lambda: prober.look(sync.ERRAND))
    elif visit.counted:
        yield _check(visit, f"{system} fields", lambda: sync.defined(visit))


def _reaching(visit: Visit, system: str) -> Iterator[Check]:
    endpoint = visit.connections.lines[system].endpoint
    shared = visit.connections.shared
    urls = endpoint.api_url, endpoint.token_url
    yield _check(
        visit,
        f"{system} hosts",
        lambda: hosts.answering(shared.wire, shared.timeouts, *urls),
        basis=True,
    )
    if visit.counted:
        services, tenant = visit.services, visit.tenant.name
        yield _check(
            visit, f"{system} budget", lambda: budget.left(services, tenant, system), basis=True
        )


def _errands(visit: Visit) -> Iterator[Errand]:
    syncs = visit.tenant.sync is not None
    if visit.tenant.api == "platform":
        return platform_errands.errands(_settings(visit), syncs=syncs)
    return guide_errands.errands(syncs=syncs)


def _settings(visit: Visit) -> PlatformSettings:
    return visit.tenant.platform or PlatformSettings()


def _concerned(tasks: Collection[str], those: Iterable[str]) -> bool:
    return not tasks or not set(tasks).isdisjoint(those)


def _probing(visit: Visit, prober: Prober, errand: Errand) -> Check:
    return _check(visit, f"may {', '.join(errand.tasks)}", lambda: prober.look(errand))


def _check(visit: Visit, what: str, look: Look, *, basis: bool = False) -> Check:
    return Check(name=f"{visit.tenant.name}: {what}", look=look, basis=basis)
