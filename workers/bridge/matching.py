"""What an event asks for by the rules: pure, and decided of each rule on its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tasks.messages import Message
from workers.bridge.events import Source
from workers.bridge.occurrences import Occurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A message that a rule wants on its queue, and the occurrence that it is about."""

    rule: str
    message: Message = field(repr=False)
    occurrence: Occurrence
    #: When the event happened.
    at: datetime
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What a rule would have wanted, and why nothing comes of it."""

    rule: str
    #: `too old`, `missing: FIELD`, `invalid: FIELD RULE`: few texts, which quote nothing.
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one event comes to."""

    wanted: tuple[Wanted, ...] = ()
    dropped: tuple[Dropped, ...] = ()

    @property
    def matched(self) -> bool:
        """Whether any rule was for this event."""
        return bool(self.wanted or self.dropped)
