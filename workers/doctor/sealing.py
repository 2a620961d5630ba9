"""Whether what may hold personal data is encrypted at rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tasks.errors import SettingsError
from workers.app import Services
from workers.doctor.finding import Finding, bad, ok, warn
from workers.embedded.program import program
from workers.letters.dead_letters import PAYLOADS, DeadLetters

MAKE = (
    "set SEAL_KEY on every host; to make one: python -c"
    " 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
)


def sealed(services: Services) -> Iterator[Finding]:
    """Find whether there is a key, and whether it has sealed, or opens, the oldest dead letter."""
    letters = services.dead_letters
    keys = len(letters.seal.secrets)
    if letters.seal.key is None:
        yield warn("SEAL_KEY is not set: dead letters and tokens stand in Redis as they are", MAKE)
    else:
        more = f"; {keys} keys open what was sealed" if keys > 1 else ""
        yield ok(f"dead letters and tokens are encrypted{more}")
    if payload := _oldest(letters):
        yield from _of_letter(letters, payload)


def _oldest(letters: DeadLetters) -> bytes | None:
    letter = next(letters.letters(), None)
    payload: Any = letters.store.redis.hget(PAYLOADS, letter.id) if letter else None
    return payload if isinstance(payload, bytes) else None


def _of_letter(letters: DeadLetters, payload: bytes) -> Iterator[Finding]:
    try:
        letters.seal.open(payload)
    except SettingsError:
        yield bad(
            "SEAL_KEY is not the key that dead letters were sealed with",
            "set the key again that they were sealed with, as a further one behind a comma, then"
            " reseal, replay or discard them",
        )
        return
    if letters.seal.key is not None and not letters.seal.is_newest(payload):
        yield warn(
            "dead letters are not sealed with the first key of SEAL_KEY",
            f"{program()} dead-letters reseal",
        )
