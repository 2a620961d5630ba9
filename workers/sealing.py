"""Encryption at rest for what may hold secrets or personal data: tokens, dead letters."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken

from tasks.errors import SettingsError

_PLAIN = b"plain:"
_SEALED = b"fernet:"


@dataclass(frozen=True, kw_only=True)
class Seal:
    """Seals bytes with a Fernet key (`SEAL_KEY`), or marks them as plain without one."""

    key: str | None = field(default=None, repr=False)

    def seal(self, content: bytes) -> bytes:
        if self.key is None:
            return _PLAIN + content
        return _SEALED + Fernet(self.key).encrypt(content)

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed; raise `SettingsError` without the key it was sealed with."""
        if sealed.startswith(_PLAIN):
            return sealed.removeprefix(_PLAIN)
        try:
            return Fernet(self.key or "").decrypt(sealed.removeprefix(_SEALED))
        except (ValueError, InvalidToken):
            raise SettingsError("SEAL_KEY: is not the key this was sealed with") from None
