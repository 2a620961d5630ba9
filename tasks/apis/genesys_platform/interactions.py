"""Message conversations: found by analytics, read message by message, and what is kept of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.apis.genesys import Interaction, InteractionPage, Kept
from tasks.apis.genesys_platform import redaction, transcripts
from tasks.apis.genesys_platform.conversation_search import Search, find
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.apis.http import Http


@dataclass(frozen=True, kw_only=True)
class PlatformInteractions:
    """Implements the `Interactions` seam."""

    http: Http
    settings: PlatformSettings

    def completed_interactions(
        self, *, since: datetime | None, until: datetime, page_size: int, cursor: str | None
    ) -> InteractionPage:
        """Return one page of the completed message conversations; see `conversation_search`."""
        search = Search.of(since, until, page_size)
        return find(self.http, search, cursor)

    def read_interaction(self, interaction_id: str) -> Interaction:
        """Return the conversation with its messages in order; `completed` is one that has ended."""
        return transcripts.read(self.http, interaction_id)

    def keep_redacted(
        self, interaction: Interaction, messages: Sequence[Mapping[str, object]]
    ) -> Kept:
        """Carry out the steps that the tenant has switched on; see `redaction`."""
        return redaction.keep(self.http, self.settings, interaction, messages)
