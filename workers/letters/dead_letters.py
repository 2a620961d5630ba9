"""Dead letters: every message that could not be carried out, kept with its bytes and its reason.

They stay until somebody replays or discards them: nothing here expires. Payloads are sealed. A
letter is named by its tenant (or queue) and the Celery message's id, so that the same message
parked twice is one letter; another message of the same id gets a letter beside it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from tasks.errors import ApiError, Rejected, SettingsError
from workers.auditing.audit import Command
from workers.letters.kept_message import KeptMessage, read
from workers.letters.sealing import Seal
from workers.store import Store, key
from workers.transport.claims import message_key

#: Letters that are read by one command.
BATCH = 500

#: Stands between a letter's name and what tells it from others of that name; no id holds it.
BESIDE = "~"

FACTS = key("dead-letters")
PAYLOADS = key("dead-letters", "payloads")
BY_TIME = key("dead-letters", "by-time")


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A parked message: which one, why, after how many attempts, when (epoch seconds).

    `operation_id` and `correlation_id` are "" where the message did not tell them. `last_response`
    is what an outside system answered last, see `last_response`; `size` counts the message's bytes.
    """

    id: str
    task: str
    queue: str
    tenant: str
    status: str
    reason: str
    attempts: int
    at: float
    operation_id: str = ""
    correlation_id: str = ""
    last_response: Mapping[str, Any] | None = None
    size: int = 0

    @property
    def message_id(self) -> str:
        """The Celery message's id, or one of our own where it had none that could be used."""
        return self.id.partition(":")[2].partition(BESIDE)[0]


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which letters are meant; what is None leaves the choice open.

    `reason` is a part of it in any case; `since` counts, `until` does not (epoch seconds).
    """

    tenant: str | None = None
    task: str | None = None
    status: str | None = None
    queue: str | None = None
    reason: str | None = None
    since: float = -math.inf
    until: float = math.inf

    def fits(self, letter: DeadLetter) -> bool:
        wanted = {name: getattr(self, name) for name in ("tenant", "task", "status", "queue")}
        return (
            all(value is None or getattr(letter, name) == value for name, value in wanted.items())
            and (self.reason or "").casefold() in letter.reason.casefold()
            and self.since <= letter.at < self.until
        )


EVERYTHING = Filter()


@dataclass(frozen=True, kw_only=True)
class DeadLetters:
    """Letters in Redis: a hash of facts, a hash of sealed payloads, an index by time."""

    store: Store
    seal: Seal

    def parking(self, letter: DeadLetter, payload: bytes) -> list[Command]:
        """Return the commands that keep `letter` and the message's bytes.

        These are in any form that `letters.kept_message` tells; the whole message is best, for only
        that can go on with its chain.
        """
        facts = {**vars(letter), "size": len(payload)}
        name = self._free_name(facts.pop("id"), payload)
        return [
            ("HSET", FACTS, name, json.dumps(facts)),
            ("HSET", PAYLOADS, name, self.seal.seal(payload)),
            ("ZADD", BY_TIME, letter.at, name),
        ]

    def _free_name(self, name: str, payload: bytes) -> str:
        """Return `name`, or one beside it where another message is kept under that."""
        try:
            taken = self.content(name) != payload
        except Rejected:
            return name
        except SettingsError:
            taken = True
        return f"{name}{BESIDE}{sha256(payload).hexdigest()[:16]}" if taken else name

    def removing(self, letters: Iterable[DeadLetter]) -> list[Command]:
        """Return the commands that take at least one letter away."""
        names = [letter.id for letter in letters]
        return [("HDEL", FACTS, *names), ("HDEL", PAYLOADS, *names), ("ZREM", BY_TIME, *names)]

    def raw(self, tag: str) -> bytes | None:
        """Return the message that is claimed as `tag` as it stood on its queue, if it is held."""
        raw: Any = self.store.redis.hget(message_key(tag), "raw") if tag else None
        return bytes(raw) if raw else None

    def count(self) -> int:
        return int(self.store.redis.zcard(BY_TIME))

    def letters(self, where: Filter = EVERYTHING) -> Iterator[DeadLetter]:
        """Yield the letters that are meant, oldest first.

        Those that are taken away or added meanwhile do no harm; memory does not grow with them.
        """
        for names in self._pages(where):
            yield from filter(where.fits, self.find(names))

    def find(self, names: list[str]) -> Iterator[DeadLetter]:
        """Yield the letters with these ids, those that are there."""
        found: Any = self.store.redis.hmget(FACTS, names) if names else ()
        for name, facts in zip(names, found, strict=True):
            if facts:
                yield DeadLetter(id=name, **json.loads(facts))

    def _pages(self, where: Filter) -> Iterator[list[str]]:
        """Yield ids by time. A page goes on where the last one ended, whatever has gone since."""
        last, size = (where.since, b""), BATCH
        while True:
            found: Any = self.store.redis.zrangebyscore(
                BY_TIME, last[0], where.until, start=0, num=size, withscores=True
            )
            further = [(at, name) for name, at in found if (at, name) > last]
            yield [name.decode() for _, name in further]
            if len(found) < size:
                return
            # Where a whole page is of one moment, the next one has to reach beyond it.
            last, size = (further[-1], BATCH) if further else (last, 2 * size)

    def content(self, letter_id: str) -> bytes:
        """Return the bytes of a letter's message.

        Raises `SettingsError` without the key they were sealed with, and `Rejected` where there is
        no such letter.
        """
        sealed: Any = self.store.redis.hget(PAYLOADS, letter_id)
        if sealed is None:
            raise Rejected("message: is not kept")
        return self.seal.open(sealed)

    def message(self, letter_id: str) -> KeptMessage:
        """Return the letter's message. Raises as `content` and `kept_message.read` do."""
        return read(self.content(letter_id))

    def payload(self, letter_id: str) -> Mapping[str, Any] | None:
        """Return the message's keyword arguments, None where they cannot be read any more."""
        try:
            return self.message(letter_id).arguments
        except Rejected:
            return None


def last_response(error: BaseException | None) -> dict[str, Any] | None:
    """Return what an outside system answered, where `error` or what it came from tells of it.

    That is system, method, route (a template), HTTP status (None without an answer) and the
    vendor's code; never a body.
    """
    while error is not None:
        if isinstance(error, ApiError):
            named = ("system", "method", "route", "status", "code")
            return {name: getattr(error, name) for name in named}
        error = error.__cause__ or error.__context__
    return None
