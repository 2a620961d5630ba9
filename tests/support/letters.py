"""Dead letters and ends of operations, put into Redis without anything around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.auditing.audit import Audit
from workers.letters.dead_letters import DeadLetter, DeadLetters
from workers.remembering.ledger import Claim, Ledger, entry_of


def park(letters: DeadLetters, letter: DeadLetter, payload: bytes) -> None:
    for command in letters.parking(letter, payload):
        letters.store.redis.execute_command(*command)  # type: ignore[no-untyped-call]


def end(ledger: Ledger, claim: Claim, result: Mapping[str, Any], *, final: bool) -> bool:
    """End the operation, if the run of `claim` still owns it; return whether it did."""
    ending = ledger.ending(claim, result, final=final)
    return Audit(store=ledger.store).write(
        claim.tenant, {}, commands=ending, entry=entry_of(claim), owner=claim.owner
    )
