"""The ledger: which operations have been claimed, and how they ended.

An entry is kept per tenant and operation id. One run at a time owns it, for a lease; an operation
that ended well answers its stored outcome to every later delivery of the same message.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.errors import Postponed, Rejected
from workers.auditing.audit import Command
from workers.remembering.locks import FORGET_SECONDS, in_use, lock_key
from workers.store import Store, key
from workers.transport.claims import message_key

#: Seconds after which a message comes back, at the latest, whose operation another run holds.
BUSY_WAIT = 5.0


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A granted run: `attempts` counts it, `tries` counts failed ones by cause.

    `steps` is what its saga has done in earlier runs, see `workers.remembering.steps`.
    `tag` names the claim of its message, "" where that is under no lease; `unfinished` the route
    that an earlier run called without learning what came of it.
    `first_at` and `at` are the epoch times (seconds, Redis clock) of the first claim and of this
    one, which was answered when the process's own clock showed `clock`.
    """

    operation_id: str
    tenant: str
    owner: str
    attempts: int
    first_at: float
    tag: str = ""
    unfinished: str | None = None
    at: float = 0.0
    clock: float = field(default_factory=time.monotonic, repr=False)
    tries: Mapping[str, int] = field(default_factory=dict)
    steps: Mapping[str, Any] = field(default_factory=dict)

    def now(self) -> float:
        """Return the epoch time in seconds by the clock of Redis, without asking it."""
        return self.at + time.monotonic() - self.clock


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The operation has ended before; `result` is what it answered, well or not."""

    result: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Entries in Redis; `lease` and `keep` are in seconds."""

    store: Store
    lease: float
    keep: float

    def claim(
        self,
        tenant: str,
        operation_id: str,
        owner: str,
        fingerprint: str,
        message_id: str,
        tag: str = "",
        resources: Iterable[str] = (),
    ) -> Claim | Ended:
        """Claim the operation for the run `owner`, which the message `message_id` asks for.

        The run holds it, and the locks on `resources`, for as long as the message, claimed as
        `tag`, is under its lease: all of them, or none where one is held.

        One that has ended well answers every message, one that has failed only the message that it
        failed for: another one that asks for it begins anew. Raises `Postponed` while another run
        holds it or a lock, and `Rejected` where the id belongs to other arguments.
        """
        needed = sorted(set(resources))
        answer = self.store.run(
            "claim_operation",
            [
                entry_key(tenant, operation_id),
                message_key(tag),
                *(lock_key(tenant, each) for each in needed),
            ],
            [
                owner,
                fingerprint,
                round(self.lease * 1000),
                round(self.keep * 1000),
                message_id,
                tag,
                FORGET_SECONDS * 1000,
            ],
        )
        asked = time.monotonic()
        match answer[0]:
            case b"mismatch":
                raise Rejected("operation_id: belongs to an operation with other arguments")
            case b"busy":
                wait = min(answer[1] / 1000, BUSY_WAIT)
                raise Postponed("another run of this operation is under way", wait, kind="busy")
            case b"locked":
                raise in_use(needed[answer[1] - 3])
            case b"settling":
                about = "what an earlier run has begun may still happen"
                raise Postponed(about, answer[1] / 1000, kind="settling")
            case b"ended":
                return Ended(result=json.loads(answer[1]))
        fields = _decode(answer[1:])
        return Claim(
            operation_id=operation_id,
            tenant=tenant,
            owner=owner,
            tag=tag,
            unfinished=fields.get("intent"),
            attempts=int(fields["attempts"]),
            first_at=int(fields["first_at"]) / 1000,
            at=int(fields["now"]) / 1000,
            clock=asked,
            tries={
                name.removeprefix("tries:"): int(count)
                for name, count in fields.items()
                if name.startswith("tries:")
            },
            steps=json.loads(fields.get("steps", "{}")),
        )

    def result(self, tenant: str, operation_id: str) -> Mapping[str, Any] | None:
        """Return what the operation has ended with, well or not; None before that."""
        known: Any = self.store.redis.hmget(entry_key(tenant, operation_id), ["state", "outcome"])
        ended = known[0] in (b"ended", b"failed")
        return dict(json.loads(known[1])) if ended else None

    def put_back(self, claim: Claim, *, cause: str = "", touched: bool = False) -> None:
        """Let the operation be claimed again; a `cause` counts one failed try.

        `touched` is whether this run has changed something outside, or may have.
        """
        kept = "touched" if touched or claim.unfinished else ""
        self.store.run("release_operation", [entry_of(claim)], [claim.owner, cause, kept])

    def intend(self, claim: Claim, route: str, within: float) -> None:
        """Write down that `route` is about to be called, which changes something or never will
        within so many seconds.

        Raises `Postponed` where another run owns the operation by now: this one is to stop.
        """
        arguments = [claim.owner, round(within * 1000), route]
        if not self.store.run("intend", [entry_of(claim)], arguments):
            raise taken_over()

    def ending(self, claim: Claim, result: Mapping[str, Any], *, final: bool) -> list[Command]:
        """Return the commands that store how the operation ended.

        A result that is not final may be claimed again, by another message.
        """
        state = "ended" if final else "failed"
        entry = entry_of(claim)
        done_with = ("attempts", "first_at", "message_id") if final else ()
        return [
            ("HSET", entry, "state", state, "outcome", json.dumps(result)),
            ("HDEL", entry, "lease_until", "intent", "intent_until", "tag", "steps", *done_with),
        ]


def taken_over() -> Postponed:
    """Return what is raised where another run owns the operation by now: this one is to stop."""
    return Postponed("another run has taken this operation over", BUSY_WAIT, kind="busy")


def fingerprint(task: str, arguments: Mapping[str, Any]) -> str:
    """Return a digest of what is asked for; the ids that only name the asking are left out."""
    asked = {k: v for k, v in arguments.items() if k not in ("operation_id", "correlation_id")}
    text = json.dumps([task, asked], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def entry_of(claim: Claim) -> str:
    """Return the key of the entry of the operation that is claimed."""
    return entry_key(claim.tenant, claim.operation_id)


def entry_key(tenant: str, operation_id: str) -> str:
    """Return the key of an operation's entry."""
    return key("operation", tenant, operation_id)


def _decode(flat: list[bytes]) -> dict[str, str]:
    texts = [part.decode() for part in flat]
    return dict(zip(texts[::2], texts[1::2], strict=True))
