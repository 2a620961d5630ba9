"""The cluster's OAuth tokens in Redis: one per client, renewed by one process at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from redis.exceptions import LockError
from redis.lock import Lock

from tasks.apis.tokens import Token
from tasks.errors import Postponed, SettingsError
from workers.letters.sealing import Seal
from workers.store import Store, key

#: Seconds before its end at which a token is renewed.
EARLY = 60.0


@dataclass(frozen=True, kw_only=True)
class SharedTokens:
    """Implements `TokenStore`; `patience` is how long (seconds) a renewal elsewhere is awaited."""

    store: Store
    seal: Seal
    patience: float = 15.0

    def obtain(self, client: str, fetch: Callable[[], Token], *, refused: str | None = None) -> str:
        name = key("token", client)
        known = self._read(name)
        if known and known != refused:
            return known
        lock = self.store.redis.lock(
            key("renewal", client),
            timeout=self.patience,
            blocking_timeout=self.patience,
            sleep=0.05,
        )
        if not lock.acquire():
            raise Postponed(f"the token of {client} is being renewed", 1.0, kind="token")
        try:
            known = self._read(name)
            return known if known and known != refused else self._renew(name, fetch)
        finally:
            _release(lock)

    def _read(self, name: str) -> str | None:
        sealed = self.store.redis.get(name)
        try:
            return self.seal.open(sealed).decode() if isinstance(sealed, bytes) else None
        except SettingsError:
            return None

    def _renew(self, name: str, fetch: Callable[[], Token]) -> str:
        token = fetch()
        self.store.redis.set(
            name, self.seal.seal(token.value.encode()), px=max(1, round(_useful(token) * 1000))
        )
        return token.value


def _useful(token: Token) -> float:
    """Return the seconds a token is used: until a minute before its end, half of a short life."""
    return max(token.expires_in - EARLY, token.expires_in / 2)


def _release(lock: Lock) -> None:
    try:
        lock.release()
    except LockError:
        return  # it expired while the token was fetched: somebody else may hold it by now
