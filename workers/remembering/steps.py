"""The steps of a saga and what it reserves, kept in Redis with the operation's ledger entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.compact_json import Json
from tasks.errors import Postponed
from workers.remembering.ledger import Claim, entry_key, entry_of, taken_over
from workers.remembering.locks import FORGET_SECONDS
from workers.store import Store, key

#: Seconds after which a message comes back to a resource that another operation keeps.
RESERVED_WAIT = 1.0


@dataclass(frozen=True, kw_only=True)
class StepsInRedis:
    """Implements `Steps` for one run: its steps are those of its claim, and what it has noted."""

    store: Store
    claim: Claim
    _noted: dict[str, Json] = field(default_factory=dict)

    def done(self) -> Mapping[str, Json]:
        return {**self.claim.steps, **self._noted}

    def note(self, name: str, result: Json) -> None:
        steps = json.dumps({**self.done(), name: result})
        if not self.store.run("note_steps", [entry_of(self.claim)], [self.claim.owner, steps]):
            raise taken_over()
        self._noted[name] = result

    def reserve(self, resource: str) -> None:
        """Keep `resource` for the operation; a day after that was last asked for, it is free."""
        tenant, operation_id = self.claim.tenant, self.claim.operation_id
        answer = self.store.run(
            "reserve",
            [key("reserved", tenant, resource), entry_of(self.claim)],
            [self.claim.owner, operation_id, entry_key(tenant, ""), FORGET_SECONDS * 1000],
        )
        if answer == b"lost":
            raise taken_over()
        if answer == b"kept":
            kind = resource.partition(":")[0]
            about = f"another operation is changing this {kind}"
            raise Postponed(about, RESERVED_WAIT, kind="lock")
