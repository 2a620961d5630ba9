"""Encryption at rest for what may hold secrets or personal data: tokens, dead letters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from tasks.errors import SettingsError

_PLAIN = b"plain:"
_SEALED = b"fernet:"


#: Fernet itself takes no notice of what follows the padding: a second key behind a semicolon.
_KEY = re.compile(r"[A-Za-z0-9_+/-]{43}=")


def fernets(text: str) -> Mapping[str, Fernet]:
    """Return the Fernet keys that `text` lists, separated by commas, in their order.

    Raises `ValueError` where one of them is none, and where there is none.
    """
    keys = [key.strip() for key in text.split(",")]
    if not all(map(_KEY.fullmatch, keys)):
        raise ValueError("a Fernet key is 32 bytes in URL-safe base64")
    return {key: Fernet(key) for key in keys}


@dataclass(frozen=True, kw_only=True)
class Seal:
    """Seals bytes with Fernet keys (`SEAL_KEY`), or marks them as plain without any.

    `key` is one key or several, separated by commas: the first one seals, all of them open.
    """

    key: str | None = field(default=None, repr=False)

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """What digests are keyed with: the first one now, the others until lately."""
        return tuple(key.encode() for key in self._fernets) or (b"",)

    def seal(self, content: bytes) -> bytes:
        if self.key is None:
            return _PLAIN + content
        return _SEALED + next(iter(self._fernets.values())).encrypt(content)

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed; raise `SettingsError` without the key it was sealed with."""
        if sealed.startswith(_PLAIN):
            return sealed.removeprefix(_PLAIN)
        try:
            keys = MultiFernet(self._fernets.values())
            return keys.decrypt(sealed.removeprefix(_SEALED))
        except (ValueError, InvalidToken):
            raise SettingsError("SEAL_KEY: is not the key this was sealed with") from None

    def is_newest(self, sealed: bytes) -> bool:
        """Return whether it was sealed as this seals: with the first key, plain without any."""
        newest = Seal(key=None if self.key is None else next(iter(self._fernets)))
        if sealed.startswith(_PLAIN):
            return newest.key is None
        try:
            newest.open(sealed)
        except SettingsError:
            return False
        return True

    @cached_property
    def _fernets(self) -> Mapping[str, Fernet]:
        return {} if self.key is None else fernets(self.key)
