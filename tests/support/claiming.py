"""Claims without a worker: messages put on queues, and taken through the scripts alone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from redis import Redis

from tests.support.raw_messages import raw
from workers.limits.admission import Budget, Terms, budget_name
from workers.limits.priority import lists
from workers.store import Store
from workers.transport.claims import Claimed, Claims, Question, answer, delayed, message_key

#: Milliseconds of any moment long ago.
LONG_AGO = 1


def message(name: str = "", **headers: Any) -> bytes:
    """Return a readable message whose id is `name`, or any."""
    return raw([[], {}, {}], headers={"id": name or str(uuid4()), **headers})


def terms(
    queue: str, *, rate: float | None = None, budget: Budget | Iterable[Budget] = ()
) -> Terms:
    """Return terms of `queue`, free unless told otherwise."""
    budgets = (budget,) if isinstance(budget, Budget) else tuple(budget)
    return Terms(queue=queue, rate=rate, budgets=budgets)


def budget(calls: int, limit: int, *, tenant: str = "default", system: str = "genesys") -> Budget:
    return Budget(name=budget_name(tenant, system), calls=calls, limit=limit)


@dataclass(frozen=True, kw_only=True)
class Claimant:
    """A worker that asks for messages of some queues, and holds what it gets."""

    redis: Redis
    terms: tuple[Terms, ...]
    worker: str = "first"
    lease: float = 30.0
    _stores: list[Store] = field(default_factory=list)

    @property
    def claims(self) -> Claims:
        if not self._stores:
            self._stores.append(Store(redis=self.redis))
        return Claims(store=self._stores[0])

    @property
    def question(self) -> Question:
        return Question(worker=self.worker, lease=self.lease, terms=self.terms)

    def ask(self, *, classes: int = 3, idle: bool = True) -> Claimed | float:
        """Return a claim, or the seconds until one might be there."""
        arguments = self.question.arguments(classes, idle=idle)
        return answer(self.claims.store.run("claim_message", self.question.keys, arguments))

    def claim(self, **options: Any) -> Claimed:
        """Claim a message that has to be there."""
        claimed = self.ask(**options)
        assert isinstance(claimed, Claimed), f"nothing for {claimed} s"
        return claimed

    def waits(self, **options: Any) -> float:
        """Return the seconds until the next question, where nothing may be there."""
        wait = self.ask(**options)
        assert isinstance(wait, float), wait
        return wait

    def drain(self, **options: Any) -> list[Claimed]:
        """Claim until there is nothing, holding everything."""
        return list(self._claims(**options))

    def _claims(self, **options: Any) -> Iterator[Claimed]:
        while isinstance(claimed := self.ask(**options), Claimed):
            yield claimed

    def end(self, claimed: Claimed) -> None:
        self.claims.settle([("end", claimed.tag, None)])

    def put_back(self, claimed: Claimed, wait: float | None = None) -> None:
        self.claims.settle([("return", claimed.tag, wait)])


def put(redis: Redis, queue: str, *messages: bytes, priority: int = 0) -> None:
    """Send messages as a stock producer does, one after the other."""
    redis.lpush(lists(queue)[priority // 3], *messages)


def let_leases_end(redis: Redis, *claims: Claimed) -> None:
    """Let the leases of claims be over, and the next question see to it."""
    for claimed in claims:
        redis.zadd("gw:leases", {claimed.tag: LONG_AGO}, xx=True)
    redis.delete("gw:pulse", "gw:grace")


def let_all_be_due(redis: Redis, queue: str) -> None:
    """Let what comes back to a queue be due, in its order."""
    for place, tag in enumerate(_list(redis.zrange(delayed(queue), 0, -1))):
        redis.zadd(delayed(queue), {tag: LONG_AGO + place})


def die(claimant: Claimant, claimed: Claimed) -> None:
    """End the worker that carries a claim's message out, as far as Redis can tell."""
    claimant.redis.hset(message_key(claimed.tag), "started", "1")
    let_leases_end(claimant.redis, claimed)


def due_at(redis: Redis, queue: str) -> list[float]:
    """Return when the delayed messages of a queue are due, in epoch seconds."""
    found: Any = redis.zrange(delayed(queue), 0, -1, withscores=True)
    return [score / 1000 for _, score in found]


def fields(redis: Redis, name: str) -> dict[str, str]:
    """Return a hash as text."""
    found: Any = redis.hgetall(name)
    return {k.decode(): v.decode() for k, v in found.items()}


def clock(redis: Redis) -> float:
    """Return epoch seconds by the clock of Redis."""
    return Store(redis=redis).now()


def sleep_until(redis: Redis, moment: float) -> None:
    while (left := moment - clock(redis)) > 0:
        time.sleep(left)


def _list(found: Any) -> list[Any]:
    return list(found)
