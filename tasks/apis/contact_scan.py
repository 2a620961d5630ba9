"""All contacts of an organisation, page by page: what is synced as a whole is listed so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class ContactPage:
    """Ids of contacts, and the cursor of the next page, None at the end."""

    ids: Sequence[str]
    next_cursor: str | None


class ContactScan(Protocol):
    """Lists contacts; a contract that has no such listing does not implement it."""

    def contact_page(self, cursor: str | None) -> ContactPage:
        """Return the page that `cursor` names, the first one without.

        Raises `Unprocessable` or `BadRequest` for a cursor that has expired.
        """
        ...
