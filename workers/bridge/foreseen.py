"""What would become of messages if they were put: asked of Redis, where nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workers.bridge.matching import Wanted
from workers.bridge.once import Put
from workers.ledger import entry_key
from workers.store import Store, key


@dataclass(kw_only=True)
class _Subject:
    """What is known to have occurred to a subject, as `send_once.lua` keeps it."""

    moments: dict[str, int] = field(default_factory=dict)
    current: str | None = None
    unknown: int | None = None

    def foresee(self, value: str, at: int, *, in_ledger: bool) -> Put:
        """Return what a message about `value` would be, and remember that it was put."""
        if value == "":
            return self._foresee_untold(at, in_ledger=in_ledger)
        latest = None if self.current is None else self.moments[self.current]
        seen, is_later = value in self.moments, latest is not None and at > latest
        resolved = self.unknown is not None and not seen and at <= self.unknown
        returns = value != self.current and is_later and (seen or in_ledger)
        if resolved:
            self.unknown = None
        if latest is None or at >= latest:
            self.current = value
        self.moments[value] = max(at, self.moments.get(value, at))
        if resolved or (seen and not returns):
            return "duplicate"
        return "new" if returns or not in_ledger else "duplicate"

    def _foresee_untold(self, at: int, *, in_ledger: bool) -> Put:
        is_known = self.current is not None or self.unknown is not None
        if not is_known:
            self.unknown = at
        return "duplicate" if is_known or in_ledger else "new"


class Foreseeing:
    """Implements what an intake puts messages by, and puts none; each counts as put afterwards."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._subjects: dict[str, _Subject] = {}

    async def put(self, wanted: Sequence[Wanted]) -> Sequence[Put]:
        """Return what each message would be, in order."""
        in_ledger = await asyncio.to_thread(self._ask, wanted)
        return [
            self._subjects[_key(each)].foresee(
                each.occurrence.value, each.occurrence.at, in_ledger=known
            )
            for each, known in zip(wanted, in_ledger, strict=True)
        ]

    def _ask(self, wanted: Sequence[Wanted]) -> list[bool]:
        """Learn what is known of the subjects; return which operations the ledger knows."""
        new = [name for name in dict.fromkeys(map(_key, wanted)) if name not in self._subjects]
        with self._store.redis.pipeline(transaction=False) as asking:
            for name in new:
                asking.hgetall(name)
            for each in wanted:
                asking.hexists(_entry(each), "state")
            answers: list[Any] = asking.execute()
        self._subjects |= {
            name: _read(held) for name, held in zip(new, answers[: len(new)], strict=True)
        }
        return [bool(known) for known in answers[len(new) :]]


def _read(held: dict[bytes, bytes]) -> _Subject:
    fields = {name.decode(): value.decode() for name, value in held.items()}
    current, unknown = fields.pop("current", None), fields.pop("?", None)
    return _Subject(
        moments={name: int(at) for name, at in fields.items()},
        current=current,
        unknown=int(unknown) if unknown else None,
    )


def _key(wanted: Wanted) -> str:
    return key("occurrence", wanted.message.tenant, wanted.occurrence.subject)


def _entry(wanted: Wanted) -> str:
    return entry_key(wanted.message.tenant, str(wanted.message.operation_id))
