"""Takes dead letters away: replayed or discarded, together with the record of who did it.

Each batch is one step, in which the letters go, their new messages are put on the queues and the
audit record is written: whoever is stopped in between has lost nothing and doubled nothing. One
clearing at a time goes on in a cluster.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tasks.errors import WorkerError
from tasks.messages import DEFAULT_TENANT
from workers.auditing.audit import Audit, Command
from workers.letters.dead_letters import DeadLetter, DeadLetters
from workers.letters.replay import Plan, Replay
from workers.store import key

#: Names who clears: a hash with the fields holder, by, and owner, which each commit takes away.
DESK = key("dead-letters", "desk")

#: Milliseconds after which the desk of one that was killed is free.
DESK_MS = 60_000

#: Letters of one step, and the bytes of their messages, at most.
STEP, STEP_BYTES = 100, 4_000_000


class Occupied(WorkerError):
    """Raised where another clearing is under way, or has begun; the text says whose."""


@dataclass(frozen=True, kw_only=True)
class Clearing:
    """Letters on the desk of `by` (`user@host`), who alone takes any away."""

    replay: Replay
    audit: Audit
    by: str
    _name: str = field(default_factory=lambda: uuid4().hex)

    @property
    def letters(self) -> DeadLetters:
        return self.replay.letters

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Take the desk for the block. Raises `Occupied` while somebody else has it."""
        self._take()
        try:
            yield
        finally:
            self._leave()

    def replayed(self, letters: Iterable[DeadLetter]) -> Iterator[Plan]:
        """Replay letters and yield what became of each; what is refused stays.

        Raises `Occupied` where the desk was lost: the letters that were not yielded are untouched.
        """
        for step in steps(letters):
            plans = [self.replay.plan(letter) for letter in self._held(step)]
            self._settle("replayed", [plan for plan in plans if not plan.refusal])
            yield from plans

    def discarded(self, letters: Iterable[DeadLetter]) -> Iterator[Plan]:
        """Remove letters and yield each. Raises `Occupied` as `replayed` does."""
        for step in steps(letters):
            plans = [Plan(letter=letter) for letter in self._held(step)]
            self._settle("discarded", plans)
            yield from plans

    def _held(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        """Return those that are still there, while nobody else can take them away."""
        self._hold()
        return list(self.letters.find([letter.id for letter in letters]))

    def _settle(self, status: str, plans: Iterable[Plan]) -> None:
        """Carry plans out, in one step for each tenant's record."""
        for tenant, those in self._by_tenant(plans).items():
            self._hold()
            commands: list[Command] = [
                *(command for plan in those for command in plan.commands),
                *self.letters.removing(plan.letter for plan in those),
            ]
            record = {
                "at": self.letters.store.now(),
                "status": status,
                "by": self.by,
                "letters": {plan.letter.id: plan.message_id for plan in those},
            }
            kept = self.audit.write(tenant, record, commands=commands, entry=DESK, owner=self._name)
            if not kept:
                raise Occupied(self._whose())

    def _by_tenant(self, plans: Iterable[Plan]) -> Mapping[str, list[Plan]]:
        """Return plans by the tenant whose audit record tells of them."""
        found = defaultdict(list)
        for plan in plans:
            known = plan.letter.tenant in self.replay.tenants
            found[plan.letter.tenant if known else DEFAULT_TENANT].append(plan)
        return found

    def _take(self) -> None:
        def taking(pipeline: Any) -> None:
            if pipeline.exists(DESK):
                raise Occupied(self._whose())
            pipeline.multi()
            pipeline.hset(DESK, mapping={"holder": self._name, "by": self.by})
            pipeline.pexpire(DESK, DESK_MS)

        self.letters.store.redis.transaction(taking, DESK)

    def _hold(self) -> None:
        """Keep the desk for the next commit. Raises `Occupied` where it was lost."""

        def holding(pipeline: Any) -> None:
            if not self._is_held(pipeline):
                raise Occupied(self._whose())
            pipeline.multi()
            pipeline.hset(DESK, "owner", self._name)
            pipeline.pexpire(DESK, DESK_MS)

        self.letters.store.redis.transaction(holding, DESK)

    def _leave(self) -> None:
        def leaving(pipeline: Any) -> None:
            held = self._is_held(pipeline)
            pipeline.multi()
            if held:
                pipeline.delete(DESK)

        self.letters.store.redis.transaction(leaving, DESK)

    def _is_held(self, client: Any) -> bool:
        return bool(client.hget(DESK, "holder") == self._name.encode())

    def _whose(self) -> str:
        by: Any = self.letters.store.redis.hget(DESK, "by")
        whose = f" by {by.decode(errors='replace')}" if by else ""
        return f"another replay or discard{whose} is under way, or was stopped within the minute"


def steps(letters: Iterable[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """Yield letters in lists that are short enough to be settled in one step."""
    step: list[DeadLetter] = []
    for letter in letters:
        if step and (
            len(step) == STEP or sum(each.size for each in step) + letter.size > STEP_BYTES
        ):
            yield step
            step = []
        step.append(letter)
    if step:
        yield step
