"""Redact all completed interactions of a time: one page a message, one message an interaction.

The checkpoint of a sweep is the message of its next page. Everything it sends has an operation id
made of the sweep's own id, so that a page that is read twice sends nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tasks.apis.genesys import Interactions
from tasks.errors import Failed
from tasks.fields import is_identifier
from tasks.messages import RedactCompleted, RedactInteraction, SweepPage
from tasks.operations import FollowUp, Operation, Outcome, child_id
from tasks.redact import check


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a sweep is: `cursor` is None on its first page, `found` counts the earlier pages."""

    sweep_id: str | None
    until: datetime
    cursor: str | None = None
    page: int = 1
    found: int = 0


def redact_completed(message: RedactCompleted, genesys: Interactions, started: datetime) -> Outcome:
    """Start a sweep: send a redaction for every interaction of the first page.

    What begins after the sweep is not its business: `until` is at most `started`, the moment of its
    first claim, so that a repetition asks for the same and sends the same next page.
    """
    until = min(message.until or started, started)
    return sweep(message, genesys, Place(sweep_id=None, until=until))


def sweep_page(message: SweepPage, genesys: Interactions) -> Outcome:
    """Go on with a sweep: send a redaction for every interaction of this page."""
    own_id = message.operation_id or ""
    place = Place(
        sweep_id=own_id.rpartition(":")[0] or None,
        until=message.until,
        cursor=message.cursor,
        page=message.page,
        found=message.found,
    )
    return sweep(message, genesys, place)


def sweep(message: RedactCompleted, genesys: Interactions, place: Place) -> Outcome:
    """Send what one page asks for: its redactions, and the message of the next page.

    Raises `Failed` where the API's cursor does not move.
    """
    page = genesys.completed_interactions(
        since=message.since, until=place.until, page_size=message.page_size, cursor=place.cursor
    )
    if page.next_cursor and page.next_cursor == place.cursor:
        raise Failed(f"nextPage: the API's cursor stands still after page {place.page}")
    ids = usable_ids(page.ids)
    found = place.found + len(ids)
    return Outcome(
        status="accepted" if page.next_cursor else "done" if found else "noop",
        detail={
            "page": place.page,
            "on_this_page": len(ids),
            "unusable_ids": len(set(page.ids)) - len(ids),
            "found": found,
            "until": place.until.isoformat(),
        },
        follow_ups=(
            *(_redaction(message, place, interaction_id) for interaction_id in ids),
            *_next_page(message, place, page.next_cursor, found),
        ),
    )


def usable_ids(ids: Iterable[str]) -> list[str]:
    """Return the distinct ids that are safe in a path."""
    return [each for each in dict.fromkeys(ids) if is_identifier(each)]


def _redaction(message: RedactCompleted, place: Place, interaction_id: str) -> FollowUp:
    redaction = RedactInteraction(
        tenant=message.tenant,
        correlation_id=message.correlation_id,
        interaction_id=interaction_id,
    )
    return _named(place, redaction, suffix=interaction_id)


def _next_page(
    message: RedactCompleted, place: Place, cursor: str | None, found: int
) -> Iterator[FollowUp]:
    if cursor is None:
        return
    page = SweepPage(
        tenant=message.tenant,
        correlation_id=message.correlation_id,
        since=message.since,
        until=place.until,
        page_size=message.page_size,
        cursor=cursor,
        page=place.page + 1,
        found=found,
    )
    yield _named(place, page, suffix=f"page-{page.page}")


def _named(place: Place, message: RedactInteraction | SweepPage, *, suffix: str) -> FollowUp:
    chosen = child_id(place.sweep_id, suffix) if place.sweep_id else None
    return FollowUp(message=message, suffix=suffix, operation_id=chosen)


START = Operation(
    message=RedactCompleted,
    use_case=lambda message, systems: redact_completed(message, systems.genesys, systems.started),
    check=check,
)
PAGE = Operation(
    message=SweepPage,
    use_case=lambda message, systems: sweep_page(message, systems.genesys),
    check=check,
)
OPERATIONS = (START, PAGE)
