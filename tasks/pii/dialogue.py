"""Who asks what in a conversation: the other side's last question tells what a bare reply is.

A question holds until it is answered and its side speaks again. Small talk in between ("take your
time", "are you there?") leaves it open for a few turns; a question about something else ends it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.pii.context import HIDDEN

#: Turns of small talk by the side that asked after which its question counts as dropped.
PATIENCE = 3

#: A reply with so many digits in it is an answer: "one sec" and "give me 5" are none.
ANSWER_DIGITS = 4

_ASKS_ELSE = re.compile(
    r"\b(?:what|which|when|where|who|how (?:many|much|long|old|far|often)"
    r"|zip|postcode|postal code|birth|birthday|address|age|amount|pin|first name|last name)\b",
    re.IGNORECASE,
)
#: An e-mail address and what was redacted are answers as well.
_ANSWER = re.compile(rf"(?:\d\D*+){{{ANSWER_DIGITS}}}|[@{HIDDEN}]")

#: Words of a request without a question mark; those of a statement, where it is no request.
_REQUESTS = re.compile(
    r"\b(?:please|pls|need|provide|give|enter|confirm|verify|share|send|type|tell"
    r"|what|which|may i|(?:can|could|would|will) (?:i|you|we)|bitte|por favor)\b",
    re.IGNORECASE,
)
_STATES = re.compile(
    r"\b(?:is|are|was|were|has|have|had|been|will|i|we|let|thank\w* (?:you )?for)\b|'ll\b|'ve\b",
    re.IGNORECASE,
)
#: A longer text without a request is a statement: "and the last four of the card".
FEW_WORDS = 7

#: One side of a conversation; None where a message does not tell.
Side = str | None

#: Tells what a text asks for: an entity, `reference`, or None.
Topics = Callable[[str], str | None]


def side(message: object) -> Side:
    """Return who speaks: by direction (Platform API) or by `from` (guide).

    An originating entity is told of what an agent or a bot sends: it is outbound.
    """
    if not isinstance(message, Mapping):
        return None
    normalized = message.get("normalizedMessage")
    for each in (message, normalized if isinstance(normalized, Mapping) else {}):
        direction = _direction(each)
        if direction:
            return direction
    sender = message.get("from")
    return None if sender is None else str(sender)


def _direction(message: Mapping[str, Any]) -> Side:
    direction = message.get("direction")
    if isinstance(direction, str) and direction:
        return direction.lower()
    return "outbound" if message.get("originatingEntity") else None


@dataclass(kw_only=True)
class Question:
    """What a side has asked for; None is something that is no personal data."""

    asker: Side = field(repr=False)
    topic: str | None
    answered: bool = False
    small_talk: int = 0

    def is_to(self, speaker: Side) -> bool:
        """Return whether it asks `speaker`: a side that is not known may be the other one."""
        return speaker is None or speaker != self.asker

    def holds(self) -> bool:
        """Take notice of small talk by its own side, and return whether it still holds."""
        self.small_talk += 1
        return not self.answered and self.small_talk <= PATIENCE


class Dialogue:
    """Follows a conversation: told each message in turn, it knows what the next one answers."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._open: list[Question] = []

    def asked(self, speaker: Side) -> str | None:
        """Return what others have last asked `speaker` for."""
        asked = (each.topic for each in reversed(self._open) if each.is_to(speaker))
        return next(asked, None)

    def hear(self, speaker: Side, text: str) -> None:
        """Take notice of what was said."""
        for each in self._open:
            each.answered |= each.is_to(speaker) and _is_answer(text)
        topic = self._topics(text) if _asks(text) else None
        if topic or _asks_else(text):
            others = [each for each in self._open if each.asker != speaker]
            # Two are enough: one of them is always by another side than the next speaker's.
            self._open = [*others[-1:], Question(asker=speaker, topic=topic)]
        else:
            self._open = [each for each in self._open if each.asker != speaker or each.holds()]


def _is_answer(text: str) -> bool:
    return _ANSWER.search(text) is not None


def _asks(text: str) -> bool:
    """Return whether a text may ask for something, rather than tell of it."""
    if "?" in text or _REQUESTS.search(text):
        return True
    return len(text.split(maxsplit=FEW_WORDS)) <= FEW_WORDS and not _STATES.search(text)


def _asks_else(text: str) -> bool:
    return "?" in text and _ASKS_ELSE.search(text) is not None
