"""How far a command has come that goes through all contacts of a tenant, to go on from there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from uuid import uuid4

from workers.store import Store, key

#: Seconds after which a run that was stopped begins anew: cursors live for a day.
KEEP = 86_400


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """`run` names what is sent, so that nothing is sent twice; `cursor` is the next page's."""

    run: str
    cursor: str | None = None
    contacts: int = 0

    @classmethod
    def first(cls) -> Checkpoint:
        return cls(run=f"sync-all-{uuid4().hex}")


@dataclass(frozen=True, kw_only=True)
class Checkpoints:
    """The checkpoint of one command on a tenant, kept in Redis."""

    store: Store
    tenant: str
    command: str

    def load(self) -> Checkpoint | None:
        held = self.store.redis.get(self._key)
        return Checkpoint(**json.loads(held)) if isinstance(held, bytes) else None

    def save(self, checkpoint: Checkpoint) -> None:
        self.store.redis.set(self._key, json.dumps(asdict(checkpoint)), ex=KEEP)

    def clear(self) -> None:
        self.store.redis.delete(self._key)

    @property
    def _key(self) -> str:
        return key("checkpoint", self.tenant, self.command)
