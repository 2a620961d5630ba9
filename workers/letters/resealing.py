"""Seals kept dead letters with the key that seals now, so that an older one can be given up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from tasks.errors import SettingsError
from workers.letters.clearing import steps
from workers.letters.dead_letters import PAYLOADS, DeadLetters

#: Sealed anew; sealed with the newest key already; sealed with a key that is not known.
State = Literal["resealed", "newest", "locked"]


@dataclass(frozen=True, kw_only=True)
class Resealed:
    """What has become of the letter with this id."""

    id: str
    state: State


def reseal(letters: DeadLetters) -> Iterator[Resealed]:
    """Seal every letter as `letters` does now, and yield what became of each.

    Each is sealed in one step, and only while it is as it was read: letters may be parked,
    replayed and discarded meanwhile, and who is stopped has lost none. Those of a key that is not
    known stay as they are.
    """
    for step in steps(letters.letters()):
        names = [letter.id for letter in step]
        while names:
            states, names = _reseal(letters, names)
            yield from (Resealed(id=name, state=state) for name, state in states.items())


def _reseal(letters: DeadLetters, names: list[str]) -> tuple[dict[str, State], list[str]]:
    """Return what became of letters, and those that changed while they were sealed."""
    found: Any = letters.store.redis.hmget(PAYLOADS, names)
    states: dict[str, State] = {}
    changes: list[str | bytes] = []
    for name, payload in zip(names, found, strict=True):
        if payload is None:
            continue  # replayed or discarded meanwhile
        states[name] = "newest"
        if not letters.seal.is_newest(payload):
            sealed = _sealed_anew(letters, payload)
            states[name] = "resealed" if sealed else "locked"
            changes += [name, payload, sealed] if sealed else []
    changed = [name.decode() for name in letters.store.run("reseal_letters", [PAYLOADS], changes)]
    return {name: state for name, state in states.items() if name not in changed}, changed


def _sealed_anew(letters: DeadLetters, payload: bytes) -> bytes | None:
    try:
        return letters.seal.seal(letters.seal.open(payload))
    except SettingsError:
        return None
