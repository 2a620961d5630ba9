"""Claims of messages: the scripts that take them, keep them, put them back and end them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from workers.limits.admission import Terms
from workers.limits.priority import CLASSES, lists
from workers.store import Store, key

#: A little over the minute that servers count, so that our window never ends before theirs.
WINDOW_SECONDS = 60.25

#: Milliseconds between two questions of a worker that has nothing to do, while it is the only one.
PAUSE = 10

#: Milliseconds between two questions at most, however many workers have nothing to do.
LONGEST_PAUSE = 250

#: Bytes of the largest message that is read; `claim_message.lua` holds to it too.
LARGEST = 1_048_576

Verdict = Literal["", "unreadable", "expired", "revoked", "alone", "poison"]

#: What becomes of a claim: it has ended, or its message comes back in so many seconds (None: at
#: once, before all others of its queue).
Settlement = tuple[Literal["end", "return", "lost"], str, float | None]


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A message that this worker holds. `at` is when it was claimed, by the clock of Redis."""

    tag: str
    queue: str
    raw: bytes = field(repr=False)
    verdict: Verdict
    runs: int
    at: float


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a worker asks for: the next message of any of its queues, as the script takes it.

    `terms` stand in the order of their classes, the live ones first.
    """

    worker: str
    lease: float
    terms: Sequence[Terms]

    @cached_property
    def keys(self) -> list[str]:
        """The keys of every queue: its lists by priority, and its delayed set."""
        return [
            name for terms in self.terms for name in (*lists(terms.queue), delayed(terms.queue))
        ]

    def arguments(self, classes: int, *, idle: bool) -> list[Any]:
        """Return the script's arguments; `classes` counts those asked for, the live one first."""
        kinds = [terms.kind for terms in self.terms]
        last = [
            sum(kind in CLASSES[: place + 1] for kind in kinds) for place in range(len(CLASSES))
        ]
        return [
            self.worker,
            round(self.lease * 1000),
            "idle" if idle else "",
            PAUSE,
            LONGEST_PAUSE,
            round(WINDOW_SECONDS * 1000),
            classes,
            *last,
            *self._terms,
        ]

    @cached_property
    def _terms(self) -> list[str]:
        return [json.dumps(terms.as_script_reads()) for terms in self.terms]


def answer(reply: Sequence[Any]) -> Claimed | float:
    """Return what the script answered: a claim, or the seconds until it should be asked again."""
    if not reply[0]:
        return float(reply[1]) / 1000
    tag, queue, raw, verdict, runs, microseconds = reply
    return Claimed(
        tag=tag.decode(),
        queue=queue.decode(),
        raw=raw,
        verdict=verdict.decode(),
        runs=int(runs),
        at=int(microseconds) / 1e6,
    )


@dataclass(frozen=True, kw_only=True)
class Claims:
    """The scripts on a store, for one that waits for their answers."""

    store: Store

    def claim(self, question: Question) -> Claimed | float:
        """Claim the next message, or return the seconds until one might be there."""
        arguments = question.arguments(len(CLASSES), idle=True)
        return answer(self.store.run("claim_message", question.keys, arguments))

    def settle(self, settlements: Iterable[Settlement]) -> None:
        """End claims, or put their messages back; those of others are left alone."""
        arguments = [part for each in settlements for part in _as_script_reads(each)]
        self.store.run("settle_claims", [], arguments)

    def renew(self, worker: str, lease: float, about: str, tags: Iterable[str]) -> list[str]:
        """Renew the leases of `tags`, which `worker` holds; return those that had ended before."""
        arguments = [worker, round(lease * 1000), about, *tags]
        return [tag.decode() for tag in self.store.run("renew_leases", [], arguments)]

    def leave(self, worker: str) -> None:
        """Forget `worker`, which has ended."""
        with self.store.redis.pipeline(transaction=True) as transaction:
            transaction.hdel(key("workers"), worker)
            transaction.zrem(key("alive"), worker)
            transaction.execute()

    def route(self, tag: str, name: str) -> None:
        """Put the message of a claim at the end of the list `name`."""
        self.store.run("route_message", [name], [tag])


def message_key(tag: str) -> str:
    """Return the key of the message that is claimed as `tag`."""
    return key("message", tag)


def delayed(queue: str) -> str:
    """Return the key of the messages of `queue` that come back."""
    return key("delayed", queue)


def _as_script_reads(settlement: Settlement) -> list[Any]:
    verb, tag, wait = settlement
    return [verb, tag, "first" if wait is None else round(wait * 1000)]
