"""Which chats are a tenant's business while its bridge hears nothing: those that it hears of.

EventBridge delivers what happens in the whole organisation. By WebSocket it is what the settings
name, and of a chat that they name, or whose queue they name, all is recovered that rules want.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tasks.apis.history import Chat
from workers.bridge.backfilling.recovered import ATTRIBUTES, CUSTOMER_END, QUEUE_MESSAGES
from workers.bridge.settings import BridgeSettings

#: The topics of a chat that name the chat itself.
_OF_A_CHAT = (ATTRIBUTES, CUSTOMER_END)


@dataclass(frozen=True, kw_only=True)
class Earshot:
    """The topics that a tenant's settings name, None for all there are."""

    topics: frozenset[str] | None
    #: The queues that they name: those of a chat whose queues an API does not tell.
    queues: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: BridgeSettings) -> Self:
        """Return what the tenant's bridge hears."""
        if settings.secret:
            return cls(topics=None, queues=settings.queues)
        chats = (_named(each, about) for about in settings.conversations for each in _OF_A_CHAT)
        queues = (_named(QUEUE_MESSAGES, about) for about in settings.queues)
        return cls(topics=frozenset({*chats, *queues, *settings.topics}), queues=settings.queues)

    def holds(self, chat: Chat) -> bool:
        """Return whether the bridge hears of the chat."""
        queues = self.queues if chat.queues is None else chat.queues
        own = [_named(each, chat.id) for each in _OF_A_CHAT]
        through = [_named(QUEUE_MESSAGES, each) for each in queues]
        return self.topics is None or not self.topics.isdisjoint([*own, *through])


def _named(template: str, about: str) -> str:
    return template.replace("{id}", about)
