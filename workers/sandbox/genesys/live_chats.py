"""Live interactions: messages keep coming in, and after a while they complete."""

from __future__ import annotations

import random
from collections.abc import Iterable

from workers.sandbox.notifications import endings
from workers.sandbox.notifications.conversation_events import conversation_changed
from workers.sandbox.notifications.events import Event
from workers.sandbox.notifications.guide_views import chat_view
from workers.sandbox.options import Options
from workers.sandbox.seed import chats
from workers.sandbox.world import Document, Organization, World


def go_on(world: World, options: Options) -> None:
    """Let every active interaction of the world go on from here."""
    for organization in world.organizations.values():
        for chat in _active(organization):
            _continue(world, organization, chat, options)


def _active(organization: Organization) -> Iterable[Document]:
    return [chat for chat in organization.interactions.values() if chat["state"] == "active"]


def _continue(world: World, organization: Organization, chat: Document, options: Options) -> None:
    # A chance of its own: how often somebody looks at the clock changes no other data.
    rng = random.Random(chat["id"])
    now = world.timeline.advance()
    ends = now + options.live_seconds * rng.uniform(0.5, 1.5)

    def speak(at: float) -> None:
        if chat["state"] != "active" or organization.interactions.get(chat["id"]) is not chat:
            return
        if at >= ends:
            tell(endings.complete(organization.id, chat, at))
            return
        before = chat_view(chat)
        chat["messages"].append(chats.next_message(rng, chat, at))
        tell(conversation_changed(organization.id, before, chat_view(chat), at))
        schedule(at)

    def tell(events: Iterable[Event]) -> None:
        world.notifications.emit(organization.id, events, "guide")

    def schedule(after: float) -> None:
        pause = options.live_message_seconds * rng.uniform(0.5, 1.5)
        world.timeline.schedule(min(after + pause, max(ends, after)), speak)

    schedule(now)
