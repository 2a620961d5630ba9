"""The whole examination: settings, what all tenants share, each tenant."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from tasks.errors import SettingsError
from workers.app import Services, create_app
from workers.doctor import installation
from workers.doctor.finding import Finding, bad, ok
from workers.doctor.looking import Row, looked
from workers.doctor.tenant import sections
from workers.doctor.visit import Visit
from workers.settings import Settings
from workers.tenants import Tenant, load_tenants

#: The checks of what stops a start.
SETTINGS, TENANTS = "settings", "tenants"

CORRECT = "correct it; the README says what each variable and key may be"

#: Is told what is looked at next.
Doing = Callable[[str], None]


def examination(
    tenant: str | None,
    tasks: Collection[str],
    doing: Doing,
    clock: Callable[[], float] = time.time,
) -> Iterator[Row]:
    """Yield what is found of the installation that the environment describes.

    It is about one tenant, or all; about what `tasks` need, or all. `clock` is this machine's, in
    epoch seconds. What is wrong with the settings is a finding, too: of what can be known without
    them, the rest is looked at all the same.
    """
    doing(SETTINGS)
    try:
        settings = Settings.load()
    except SettingsError as error:
        yield SETTINGS, bad(str(error), CORRECT)
        return
    yield SETTINGS, ok("can be read")
    tenants, finding = _tenants(settings, tenant)
    yield TENANTS, finding
    services = create_app(settings, tenants).services
    try:
        yield from _examined(services, _chosen(tenants, tenant), tasks, doing, clock)
    finally:
        services.close()


def _tenants(settings: Settings, chosen: str | None) -> tuple[Mapping[str, Tenant], Finding]:
    try:
        tenants = load_tenants(settings)
    except SettingsError as error:
        return {}, bad(str(error), CORRECT)
    known = ", ".join(tenants)
    if chosen is not None and chosen not in tenants:
        return tenants, bad(f"--tenant: unknown; the tenants are {known}", "name one of them")
    return tenants, ok(known)


def _chosen(tenants: Mapping[str, Tenant], name: str | None) -> list[Tenant]:
    return [each for each in tenants.values() if name in (None, each.name)]


def _examined(
    services: Services,
    tenants: Iterable[Tenant],
    tasks: Collection[str],
    doing: Doing,
    clock: Callable[[], float],
) -> Iterator[Row]:
    shared = list(looked(installation.shared_state(services, clock), doing))
    yield from shared
    has_redis = installation.usable(shared)
    if has_redis and services.tenants:
        yield from looked(installation.work(services), doing)
    yield from looked(installation.here(services, clock), doing)
    for each in tenants:
        visit = Visit.of(services, each, counted=has_redis)
        for checks in sections(visit, tasks):
            yield from looked(checks, doing)
