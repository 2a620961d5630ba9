"""Dead letters: every message that could not be carried out, kept with its reason.

Payloads are sealed. A letter is named by the operation it belongs to, so that the same message
parked twice is one letter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workers.audit import Command
from workers.sealing import Seal
from workers.store import Store, key

#: Letters that are read by one command.
BATCH = 500


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A parked message: which one, why, after how many attempts, when (epoch seconds)."""

    id: str
    task: str
    queue: str
    tenant: str
    status: str
    reason: str
    attempts: int
    at: float


@dataclass(frozen=True, kw_only=True)
class DeadLetters:
    """Letters in Redis: a hash of facts, a hash of sealed payloads, an index by time."""

    store: Store
    seal: Seal

    def parking(self, letter: DeadLetter, payload: bytes) -> list[Command]:
        """Return the commands that keep `letter` and the message's bytes."""
        facts = {name: value for name, value in vars(letter).items() if name != "id"}
        return [
            ("HSET", key("dead-letters"), letter.id, json.dumps(facts)),
            ("HSET", key("dead-letters", "payloads"), letter.id, self.seal.seal(payload)),
            ("ZADD", key("dead-letters", "by-time"), letter.at, letter.id),
        ]

    def count(self) -> int:
        return int(self.store.redis.zcard(key("dead-letters", "by-time")))

    def letters(self) -> Iterator[DeadLetter]:
        """Yield all letters, oldest first."""
        names: Any = self.store.redis.zrange(key("dead-letters", "by-time"), 0, -1)
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            found: Any = self.store.redis.hmget(key("dead-letters"), batch)
            for name, facts in zip(batch, found, strict=True):
                if facts:
                    yield DeadLetter(id=name.decode(), **json.loads(facts))

    def payload(self, letter_id: str) -> Mapping[str, Any] | None:
        """Return the message's arguments, None where they are no JSON object any more."""
        sealed: Any = self.store.redis.hget(key("dead-letters", "payloads"), letter_id)
        try:
            found = json.loads(self.seal.open(sealed)) if sealed else None
        except ValueError:
            return None
        return found if isinstance(found, dict) else None
