"""What is looked for in a conversation, and what stands in its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tasks.pii.context import topic_asked
from tasks.pii.custom import TenantDetector
from tasks.pii.finding import Detects, find
from tasks.pii.findings import ENTITIES
from tasks.pii.lines import Found
from tasks.pii.placeholders import Placeholder, blank, pattern, redacted


@dataclass(frozen=True, kw_only=True)
class Search:
    """Looks for `entities` (all without them), those of a tenant and of `others` among them."""

    entities: Collection[str] | None = None
    own: Sequence[TenantDetector] = ()
    others: Sequence[Detects] = ()
    #: What `others` find.
    labels: Sequence[str] = ()
    placeholder: Placeholder = field(default=redacted)

    def look(self, text: str, asked: str | None) -> list[Found]:
        """Return what is in `text`; never a placeholder or a part of one."""
        shown = self.blanked(text)
        also = (*self.own, *self.others)
        return [
            Found(start=each.start, end=each.end, entity=each.entity, value=value)
            for each in find(shown, self.entities, asked=asked, also=also)
            for value in (text[each.start : each.end],)
            if value == shown[each.start : each.end]
        ]

    def topic(self, text: str) -> str | None:
        """Return what `text` asks for: an entity of the tenant's, else one that is known to all."""
        shown = self.blanked(text)
        topic = topic_asked(shown)
        if topic or "?" in shown:
            return next((each.name for each in self.own if each.is_named_in(shown)), topic)
        return None

    def blanked(self, text: str) -> str:
        """Return `text` with its placeholders blanked out, at the same length."""
        return self._placeholders.sub(blank, text) if "[" in text else text

    @cached_property
    def _placeholders(self) -> re.Pattern[str]:
        return pattern((*ENTITIES, *(each.name for each in self.own), *self.labels))
