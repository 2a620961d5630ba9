"""Whether what may hold personal data is encrypted at rest."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.errors import SettingsError
from workers.app import Services
from workers.doctor.finding import Finding, bad, ok, warn

MAKE = (
    "set SEAL_KEY on every host; to make one: python -c"
    " 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
)


def sealed(services: Services) -> Iterator[Finding]:
    """Find whether there is a key, and whether it opens the oldest dead letter."""
    if services.settings.seal_key is None:
        yield warn("SEAL_KEY is not set: dead letters and tokens stand in Redis as they are", MAKE)
    else:
        yield ok("dead letters and tokens are encrypted")
    if letter := next(services.dead_letters.letters(), None):
        try:
            services.dead_letters.content(letter.id)
        except SettingsError:
            yield bad(
                "SEAL_KEY is not the key that dead letters were sealed with",
                "set the key again that they were sealed with, then replay or discard them",
            )
