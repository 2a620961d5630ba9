"""Finds what was missed in a time: asks the tenant's API, and makes events of what it tells."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

from tasks.apis.history import Chat, ChatPage, ChatState, Span
from tasks.apis.systems import Systems, offered, utc_now
from tasks.errors import Failed, NotFound
from tasks.fields import is_identifier
from workers.bridge.backfilling import recovered
from workers.bridge.backfilling.earshot import Earshot
from workers.bridge.backfilling.patience import Patience
from workers.bridge.judging.rules import RuleSet
from workers.bridge.reading.events import Event
from workers.bridge.settings import BridgeSettings
from workers.tenants import Tenant


class Recovery:
    """Looks into times for one tenant, as far as its rules, its settings and its contract say."""

    def __init__(
        self,
        patience: Patience,
        tenant: Tenant,
        settings: BridgeSettings,
        rules: RuleSet,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._clock = clock
        self._patience = patience
        self._settings = settings
        self._wanted = rules.recoverable(tenant.api)
        self._earshot = Earshot.of(settings)

    async def events(
        self, start: datetime, end: datetime, read: set[str]
    ) -> AsyncGenerator[Sequence[Event], None]:
        """Yield the events of a time in batches: first ends, page by page, and then attributes.

        The time is widened by the tenant's margin. Attributes are told as they are now, and said to
        be set at `end`: they are written over nothing that was set later. Chats in `read` are not
        read again; those whose attributes were taken are added, and those that are not there any
        more. Raises what the API says; some events are told again, where it is begun again.
        """
        margin = timedelta(seconds=self._settings.margin_seconds)
        look_back = timedelta(days=self._settings.look_back_days)
        span = Span(start=start - margin, end=end + margin, look_back=look_back)
        changed: dict[str, None] = {}
        async with aclosing(self._pages(span)) as pages:
            async for chats in pages:
                changed |= dict.fromkeys(each.id for each in chats if self._may_change(each))
                yield self._ends(chats, span, end)
        for chat_id in changed.keys() - read:
            yield await self._attributes(chat_id, end)
            read.add(chat_id)

    async def _pages(self, span: Span) -> AsyncGenerator[Sequence[Chat], None]:
        """Yield the chats of each page that no earlier page told in the same way."""
        told: dict[str, Chat] = {}
        cursor: str | None = None
        while any(self._wanted.values()):
            page = await self._patience.ask(_page(span, cursor))
            chats = [each for each in page.chats if self._concerns(each)]
            yield [each for each in chats if told.get(each.id) != each]
            told |= {each.id: each for each in chats}
            if page.next_cursor is None:
                return
            if page.next_cursor == cursor:
                raise Failed("the API's cursor stands still")
            cursor = page.next_cursor

    def _ends(self, chats: Sequence[Chat], span: Span, at: datetime) -> Sequence[Event]:
        return [
            event
            for chat in chats
            if self._wanted["ends"]
            for event in recovered.ends(chat, span, at, self._earshot.queues)
        ]

    def _concerns(self, chat: Chat) -> bool:
        return is_identifier(chat.id) and self._earshot.holds(chat)

    def _may_change(self, chat: Chat) -> bool:
        return self._wanted["attributes"] and bool(chat.contacts)

    async def _attributes(self, chat_id: str, at: datetime) -> Sequence[Event]:
        try:
            state, read = await self._patience.ask(self._state(chat_id))
        except NotFound:
            return ()
        return [*recovered.attributes(chat_id, state, at, read)]

    def _state(self, chat_id: str) -> Callable[[Systems], tuple[ChatState, datetime]]:
        def read(systems: Systems) -> tuple[ChatState, datetime]:
            # What is set while it is read may be in it; what was set before, is.
            began = self._clock()
            return offered(systems.chat_states).read_state(chat_id), began

        return read


def _page(span: Span, cursor: str | None) -> Callable[[Systems], ChatPage]:
    return lambda systems: offered(systems.past).chats(span, cursor)
