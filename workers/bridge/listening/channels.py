"""The channels that a tenant's topics are heard by, kept in Redis for whoever leads next.

A client has at most twenty channels, whoever made them, and one more would take another's place
without a word: none is made then. What a crash leaves between making a channel and keeping it, and
a channel whose making was not answered, count until they expire, a day later.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from tasks.apis.notifications import MOST_CHANNELS, Channel, Notifications
from tasks.errors import SettingsError, WorkerError
from workers.letters.sealing import Seal
from workers.store import Store, key
from workers.watching.telemetry import log

#: Seconds that a channel lives where its own moment cannot be true, as clocks differ, and at most.
LIFE = 86_400.0
#: Seconds after which a channel is forgotten that nobody has used: it is gone by then.
KEEP = 2 * 86_400


class NoChannelFree(WorkerError):
    """Raised where the client has as many channels as it may."""

    def __init__(self, in_use: int) -> None:
        super().__init__(in_use)
        self.in_use = in_use

    def __str__(self) -> str:
        return f"the OAuth client has {self.in_use} of {MOST_CHANNELS} notification channels in use"


@dataclass(frozen=True, kw_only=True)
class KeptChannel:
    """A channel, and how many seconds it lives after it was made, or was subscribed."""

    id: str
    connect_uri: str = field(repr=False)
    life: float


@dataclass(frozen=True, kw_only=True)
class Channels:
    """The channels of a tenant by shard. One process uses them at a time: the one that leads."""

    store: Store
    tenant: str
    seal: Seal = field(default_factory=Seal)

    def ensure(self, shard: str, notifications: Notifications) -> KeptChannel:
        """Return the shard's channel if it lives, else one that is made now.

        Raises `NoChannelFree`, and what the verbs of `notifications` raise.
        """
        kept = self._load(shard)
        if kept and notifications.is_alive(kept.id):
            self.touch()
            return kept
        in_use = notifications.channels_in_use()
        if in_use >= MOST_CHANNELS:
            raise NoChannelFree(in_use)
        return self._keep(shard, notifications.create_channel())

    def forget(self, shard: str) -> None:
        """Have another channel made for the shard."""
        self.store.redis.hdel(self._key, shard)

    def touch(self) -> None:
        """Keep the channels longer: they are in use."""
        self.store.redis.expire(self._key, KEEP)

    def _keep(self, shard: str, made: Channel) -> KeptChannel:
        life = made.expires.timestamp() - self.store.now()
        kept = KeptChannel(
            id=made.id,
            connect_uri=made.connect_uri,
            life=life if 0 < life <= LIFE else LIFE,
        )
        self.store.redis.hset(self._key, shard, self.seal.seal(json.dumps(asdict(kept)).encode()))
        self.touch()
        log.info("bridge.channel_made", tenant=self.tenant, shard=shard)
        return kept

    def _load(self, shard: str) -> KeptChannel | None:
        sealed = self.store.redis.hget(self._key, shard)
        if not isinstance(sealed, bytes):
            return None
        try:
            return KeptChannel(**json.loads(self.seal.open(sealed)))
        except (SettingsError, ValueError, TypeError):
            return None  # sealed with another key, or by another version

    @property
    def _key(self) -> str:
        return key("bridge", self.tenant, "channels")
