"""The checks of what all tenants share: Redis, and the work in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from workers.app import Services
from workers.doctor import (
    clocks,
    connection,
    folders,
    memory,
    persistence,
    queues,
    receiver,
    rights,
    scripts,
    sealing,
)
from workers.doctor.finding import Check
from workers.doctor.looking import Row

#: The checks without which nothing can be asked of Redis.
REACHED, RIGHTS = "redis: connection", "redis: rights"


def shared_state(services: Services, clock: Callable[[], float]) -> Iterator[Check]:
    """Yield the checks of Redis; `clock` is this machine's, in epoch seconds."""
    settings, store = services.settings, services.store
    url, results = settings.redis_url, settings.result_backend
    yield Check(name=REACHED, look=lambda: connection.reached("REDIS_URL", url), basis=True)
    names = list(services.terms)
    yield Check(name=RIGHTS, look=lambda: rights.allowed(store.redis, names))
    yield Check(name="redis: persistence", look=lambda: persistence.persisted(store.redis))
    yield Check(name="redis: eviction", look=lambda: memory.evicted(store.redis))
    yield Check(name="redis: memory", look=lambda: memory.room(store.redis))
    yield Check(name="redis: clock", look=lambda: clocks.agree(store, clock))
    yield Check(name="redis: scripts", look=lambda: scripts.loaded(store))
    yield Check(name="redis: encryption", look=lambda: sealing.sealed(services))
    if results:
        yield Check(name="results", look=lambda: connection.reached("RESULT_BACKEND", results))


def work(services: Services) -> Iterator[Check]:
    """Yield the checks of queues and workers."""
    yield Check(name="workers and queues", look=lambda: queues.served(services))
    yield Check(name="pauses", look=lambda: queues.held_up(services))
    yield Check(name="dead letters", look=lambda: queues.given_up(services))


def here(services: Services, clock: Callable[[], float]) -> Iterator[Check]:
    """Yield the checks of this machine, whose `clock` tells epoch seconds."""
    if folder := services.settings.audit_dir:
        yield Check(name="audit files", look=lambda: folders.writable("AUDIT_DIR", folder))
    bridges = [each.bridge for each in services.tenants.values() if each.bridge]
    if bridges:
        settings, secrets = services.settings, any(each.secret for each in bridges)
        yield Check(
            name="receiver", look=lambda: receiver.reachable(settings, secrets=secrets), basis=True
        )
        if path := settings.receiver_tls_cert:
            yield Check(name="receiver", look=lambda: receiver.certified(path, clock))


def usable(rows: Iterable[Row]) -> bool:
    """Return whether these findings of Redis are such that workers could work with it."""
    states = {name: finding.state for name, finding in rows}
    return all(states.get(name) == "ok" for name in (REACHED, RIGHTS))
