"""What happened in an organisation, for whoever was not told when it did.

Searches lag behind what happens: what has just happened is found a while later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Span:
    """A time that is looked into, both its ends included.

    What happened in it may have begun up to `look_back` before it.
    """

    start: datetime
    end: datetime
    look_back: timedelta

    @property
    def earliest(self) -> datetime:
        """Since when what happened in it may have begun."""
        return self.start - self.look_back

    def holds(self, moment: datetime) -> bool:
        """Return whether it was then."""
        return self.start <= moment <= self.end


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A customer's part in a chat, in the vendor's words; empty ones are not told.

    `left` is when the customer left it, None for one who is there.
    """

    id: str
    purpose: str
    joined: datetime | None = None
    left: datetime | None = None
    contact_id: str = ""
    session_id: str = ""
    provider: str = ""
    direction: str = ""
    message_type: str = ""
    disconnect_type: str = ""


@dataclass(frozen=True, kw_only=True)
class Chat:
    """A conversation by messages, without any of them.

    `ended` is None where it goes on, and where an API does not tell when one that is `over` was;
    `guests` and `queues` are None where an API tells none.
    """

    id: str
    over: bool
    ended: datetime | None = None
    guests: Sequence[Guest] | None = None
    #: The queues that it went through.
    queues: Sequence[str] | None = None
    #: The external contacts of everybody in it.
    contacts: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class ChatPage:
    """Chats, and the cursor of the next page, None at the end."""

    chats: Sequence[Chat]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True)
class Party:
    """A participant's attributes as they are now, and the ids of the communications it has."""

    id: str
    attributes: Mapping[str, str] = field(repr=False)
    communications: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class ChatState:
    """Who takes part in a chat, and the external contacts of everybody in it."""

    parties: Sequence[Party]
    contacts: Sequence[str]


class History(Protocol):
    """Finds chats by when they ended."""

    def chats(self, span: Span, cursor: str | None) -> ChatPage:
        """Return one page of the chats that a span is about.

        They ended in it, or their customers left in it, or they went on then. There may be more
        among them, and some twice.
        """
        ...


class ChatStates(Protocol):
    """Reads chats as they are; a contract that knows no attributes of theirs does not offer it."""

    def read_state(self, chat_id: str) -> ChatState: ...
