"""A look at a running system: what waits where and why, what is spent, and who works."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workers.app import Services
from workers.bridge.state.gaps import Gap, Gaps
from workers.bridge.watching.reports import BridgeReport, Reports
from workers.limits.admission import budget_name
from workers.limits.overrides import InForce, Overrides, RateSet, TenantPause
from workers.limits.priority import lists
from workers.limits.rates import DEFAULT_QUEUE, split_queue
from workers.outside import systems
from workers.remembering.findings import counted
from workers.store import Store, key
from workers.transport.claims import delayed, message_key
from workers.watching.roster import WorkerStatus, roster
from workers.watching.strays import strays

LEASES, HEADS = key("leases"), key("heads")

#: Complete spans of ten seconds over which the achieved rate is counted.
SPANS, SPAN_SECONDS = 6, 10


@dataclass(frozen=True, kw_only=True)
class QueueStatus:
    """One queue. Rates are in messages per second, and None without a limit.

    `waiting` counts the messages that are due, `delayed` those that are not yet, `leased` those
    that workers hold. `head_waits` is in seconds since the first of them was first seen waiting,
    None where none does. `achieved` counts over the last minute. `readers` are the living workers
    that read the queue; `trouble` is why none will, where it holds messages.
    """

    name: str
    waiting: int
    delayed: int
    leased: int
    head_waits: float | None
    rate: float | None
    rate_set: RateSet | None
    achieved: float
    readers: tuple[str, ...]
    trouble: str | None

    @property
    def idle(self) -> bool:
        """Whether it holds no message."""
        return not (self.waiting or self.delayed or self.leased)


@dataclass(frozen=True, kw_only=True)
class SystemStatus:
    """An outside system of a tenant: its budget, as calls in a window.

    `reserved` is the part of `spent` that is not called yet. `window_left` and `pause_left` are in
    seconds, None where no window has begun, and where there is no pause.
    """

    tenant: str
    system: str
    limit: int
    spent: int
    reserved: int
    window_left: float | None
    pause_left: float | None


@dataclass(frozen=True, kw_only=True)
class Status:
    """A system at one moment, in epoch seconds by the clock of Redis.

    `held` counts the messages that workers have taken. `strays` are queues that hold messages and
    are no tenant's; `complete` tells whether Redis has few enough keys to find all of them.
    `findings` counts the personal data that was removed, by tenant and kind. `bridges` are what
    they last said of themselves, `gaps` the times that are still to be backfilled, by tenant.
    """

    at: float
    queues: tuple[QueueStatus, ...]
    strays: tuple[QueueStatus, ...]
    complete: bool
    held: int
    systems: tuple[SystemStatus, ...]
    pauses: Mapping[str, TenantPause]
    workers: tuple[WorkerStatus, ...]
    dead_letters: int
    findings: Mapping[str, Mapping[str, int]]
    bridges: tuple[BridgeReport, ...]
    gaps: Mapping[str, tuple[Gap, ...]]

    @property
    def idle(self) -> bool:
        """Whether no message waits, is delayed or is held in a queue of this installation."""
        return not self.held and all(queue.idle for queue in self.queues)


@dataclass(frozen=True, kw_only=True)
class _Counts:
    waiting: Mapping[str, int]
    delayed: Mapping[str, int]
    leased: Counter[str]
    heads: Mapping[str, float]


def look(services: Services) -> Status:
    """Return the status of the system that `services` belong to."""
    store = services.store
    now = store.now()
    known = list(services.terms)
    unknown, complete = strays(store, known)
    counts = _count([*known, *unknown], store, now)
    overrides = Overrides(store=store).in_force()
    workers = roster(store, services.settings.lease_seconds, now)
    seen = _Sight(services, now, counts, overrides, _achieved(store, now), workers)
    return Status(
        at=now,
        queues=tuple(seen.queue(name) for name in known),
        strays=tuple(seen.queue(name) for name in unknown),
        complete=complete,
        held=counts.leased.total(),
        systems=_systems(services),
        pauses=overrides.pauses,
        workers=workers,
        dead_letters=services.dead_letters.count(),
        findings=counted(store),
        bridges=Reports(store=store).heard(now),
        gaps=_gaps(services),
    )


def _gaps(services: Services) -> Mapping[str, tuple[Gap, ...]]:
    bridged = [name for name, tenant in services.tenants.items() if tenant.bridge]
    waiting = {name: Gaps(store=services.store, tenant=name).waiting() for name in bridged}
    return {name: tuple(gaps) for name, gaps in waiting.items() if gaps}


@dataclass(frozen=True)
class _Sight:
    """What has been read, from which the status of each queue is made."""

    services: Services
    now: float
    counts: _Counts
    overrides: InForce
    achieved: Mapping[str, float]
    workers: Sequence[WorkerStatus]

    def queue(self, name: str) -> QueueStatus:
        counts = self.counts
        waiting, later = counts.waiting[name], counts.delayed[name]
        leased = counts.leased[name]
        readers = tuple(each.name for each in self.workers if each.alive and name in each.queues)
        rate_set = self.overrides.rates.get(name)
        return QueueStatus(
            name=name,
            waiting=waiting,
            delayed=later,
            leased=leased,
            head_waits=max(0.0, self.now - counts.heads[name]) if waiting else None,
            rate=rate_set.rate if rate_set else self._rate(name),
            rate_set=rate_set,
            achieved=self.achieved.get(name, 0.0),
            readers=readers,
            trouble=None if readers or not waiting + later + leased else self._trouble(name),
        )

    def _rate(self, name: str) -> float | None:
        return None if name == DEFAULT_QUEUE else self.services.settings.rate(name)

    def _trouble(self, name: str) -> str:
        tenant = split_queue(name)[1]
        known = name in self.services.terms
        return "no worker reads it" if known else f"unknown tenant {tenant}"


def _count(names: Sequence[str], store: Store, now: float) -> _Counts:
    """Count the messages of each queue, all at one moment, so that none is seen on its way."""
    moment = round(now * 1000)
    with store.redis.pipeline(transaction=True) as transaction:
        for name in names:
            for each in lists(name):
                transaction.llen(each)
            transaction.zcount(delayed(name), "-inf", moment)
            transaction.zcount(delayed(name), f"({moment}", "+inf")
        transaction.sort(LEASES, by="nosort", get=[f"{message_key('*')}->queue"])
        transaction.hgetall(HEADS)
        *lengths, leased, heads = transaction.execute()
    count = len(lists("")) + 2
    rows = {name: lengths[at * count : (at + 1) * count] for at, name in enumerate(names)}
    waiting = {name: sum(row[:-1]) for name, row in rows.items()}
    return _Counts(
        waiting=waiting,
        delayed={name: row[-1] for name, row in rows.items()},
        leased=Counter((queue or b"").decode() for queue in leased),
        heads=_heads(store, waiting, heads, now),
    )


def _heads(
    store: Store, waiting: Mapping[str, int], stored: Mapping[bytes, bytes], now: float
) -> Mapping[str, float]:
    """Return since when each queue's first message has been seen waiting, in epoch seconds.

    The claim notes it where it must refuse one. Where none asks, this look is the first to see it,
    and notes it for the next.
    """
    seen = {name.decode(): int(moment) / 1000 for name, moment in stored.items()}
    first_seen = {name: now for name, count in waiting.items() if count and name not in seen}
    emptied = [name for name in seen if not waiting.get(name)]
    with store.redis.pipeline(transaction=False) as pipeline:
        for name in first_seen:
            pipeline.hsetnx(HEADS, name, str(round(now * 1000)))
        if emptied:
            pipeline.hdel(HEADS, *emptied)
        pipeline.execute()
    return {**seen, **first_seen}


def _achieved(store: Store, now: float) -> Mapping[str, float]:
    """Return messages per second, of the queues that have started any in the last whole minute."""
    current = int(now) // SPAN_SECONDS
    with store.redis.pipeline(transaction=False) as pipeline:
        for span in range(current - SPANS, current):
            pipeline.hgetall(key("granted", str(span)))
        spans = pipeline.execute()
    totals: Counter[str] = Counter()
    for granted in spans:
        totals.update({name.decode(): int(count) for name, count in granted.items()})
    return {name: total / (SPANS * SPAN_SECONDS) for name, total in totals.items()}


def _systems(services: Services) -> tuple[SystemStatus, ...]:
    limits = [
        (tenant.name, system, limit)
        for tenant in services.tenants.values()
        for system, limit in systems.budgets(tenant).items()
    ]
    with services.store.redis.pipeline(transaction=True) as transaction:
        for tenant, system, _ in limits:
            name = budget_name(tenant, system)
            transaction.hmget(key("budget", name), "spent", "reserved")
            transaction.pttl(key("budget", name))
            transaction.pttl(key("pause", name))
        replies = iter(transaction.execute())
    return tuple(
        _system(tenant, system, limit, next(replies), next(replies), next(replies))
        for tenant, system, limit in limits
    )


def _system(
    tenant: str, system: str, limit: int, budget: list[Any], window: int, pause: int
) -> SystemStatus:
    spent, reserved = (int(count or 0) for count in budget)
    return SystemStatus(
        tenant=tenant,
        system=system,
        limit=limit,
        spent=spent,
        reserved=reserved,
        window_left=window / 1000 if window >= 0 else None,
        pause_left=pause / 1000 if pause >= 0 else None,
    )
