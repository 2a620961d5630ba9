"""What would become of messages if they were put: asked of Redis, where nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workers.bridge.judging.matching import Wanted
from workers.bridge.listening.asking import in_thread
from workers.bridge.publishing.once import Put
from workers.remembering.ledger import entry_key
from workers.store import Store, key


@dataclass(frozen=True, kw_only=True)
class _Ledger:
    """Whether the ledger knows an operation, and the one that a return to its state would be.

    `now` is the moment, in epoch milliseconds.
    """

    own: bool
    again: bool
    now: int


@dataclass(kw_only=True)
class _Subject:
    """What is known to have occurred to a subject, as `send_once.lua` keeps it."""

    moments: dict[str, int] = field(default_factory=dict)
    current: str | None = None
    unknown: int | None = None

    def foresee(self, value: str, at: int, ledger: _Ledger) -> Put:
        """Return what a message about `value` would be, and go on as if it had been put."""
        return "duplicate" if self._is_known(value, at, ledger) else "new"

    def _is_known(self, value: str, at: int, ledger: _Ledger) -> bool:
        if value == "":
            return self._is_any_known(at, ledger)
        latest = None if self.current is None else self.moments[self.current]
        seen, is_later = value in self.moments, latest is not None and at > latest
        if value == self.current:
            self.moments[value] = max(at, self.moments[value])
            return True
        if self.unknown is not None and not seen and at <= self.unknown:
            self._remember(value, at, latest)
            self.unknown = None
            return True
        if seen and not is_later:
            return True
        self._remember(value, at, latest)
        return ledger.again if is_later and (seen or ledger.own) else ledger.own

    def _is_any_known(self, at: int, ledger: _Ledger) -> bool:
        if self.current is not None or self.unknown is not None:
            return True
        self.unknown = max(ledger.now, at)
        return ledger.own

    def _remember(self, value: str, at: int, latest: int | None) -> None:
        self.moments[value] = at
        if latest is None or at >= latest:
            self.current = value


class Foreseeing:
    """Implements what an intake puts messages by, and puts none; each counts as put afterwards."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._subjects: dict[str, _Subject] = {}

    async def put(self, wanted: Sequence[Wanted]) -> Sequence[Put]:
        """Return what each message would be, in order."""
        ledgers = await in_thread(self._ask, wanted)
        return [
            self._subjects[_key(each)].foresee(each.occurrence.value, each.occurrence.at, ledger)
            for each, ledger in zip(wanted, ledgers, strict=True)
        ]

    def _ask(self, wanted: Sequence[Wanted]) -> list[_Ledger]:
        """Learn what is known of the subjects; return what the ledger knows of the operations."""
        new = [name for name in dict.fromkeys(map(_key, wanted)) if name not in self._subjects]
        now = round(self._store.now() * 1000)
        with self._store.redis.pipeline(transaction=False) as asking:
            for name in new:
                asking.hgetall(name)
            for each in wanted:
                for operation_id in _operation_ids(each):
                    asking.hexists(entry_key(each.message.tenant, operation_id), "state")
            answers: list[Any] = asking.execute()
        held, known = answers[: len(new)], [bool(each) for each in answers[len(new) :]]
        self._subjects |= {name: _read(each) for name, each in zip(new, held, strict=True)}
        pairs = zip(known[::2], known[1::2], strict=True)
        return [_Ledger(own=own, again=again, now=now) for own, again in pairs]


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


def _operation_ids(wanted: Wanted) -> tuple[str, str]:
    return str(wanted.message.operation_id), wanted.occurrence.again(wanted.occurrence.at)
