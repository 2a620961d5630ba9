"""Count the configuration changes that the vendor's audit knows of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tasks.apis.genesys import AuditRecord, Configurations
from tasks.apis.moments import parse_moment
from tasks.apis.systems import Systems, offered
from tasks.compact_json import Json
from tasks.errors import Postponed
from tasks.hindsight import UNSEEN
from tasks.messages import Window
from tasks.settling import next_look

#: How long an answer of the audit is waited for, that comes later.
PATIENCE = timedelta(seconds=60)


def count_changes(
    window: Window | None, organization_ids: Sequence[str], genesys: Configurations
) -> Mapping[str, Json]:
    """Return `audit` with the number of changes of the window and the newest one's time.

    Nothing is returned without a window. Where the audit cannot be read, `unavailable` says why in
    place of the numbers.
    """
    if window is None:
        return {}
    try:
        return counted(genesys.configuration_changes(organization_ids, window.start, window.end))
    except UNSEEN as error:
        return unavailable(str(error))


def release_changes(
    window: Window | None, entity_ids: Sequence[str], systems: Systems
) -> Mapping[str, Json]:
    """Return what `count_changes` does, of an audit that is asked first and answers later.

    Raises `Postponed` until it has answered, for a minute at most.
    """
    if window is None:
        return {}
    api, noted = offered(systems.deployments), _noted(systems)
    try:
        query_id = noted.id or api.ask_for_changes(window.start, window.end, entity_ids)
        records = api.changes(query_id)
        if records is not None:
            return counted(records)
    except UNSEEN as error:
        return unavailable(str(error))
    if systems.now() - noted.at >= PATIENCE:
        return unavailable(f"no answer within {PATIENCE.seconds} s")
    systems.steps.note("audit_query", {"id": query_id, "at": noted.at.isoformat()})
    raise Postponed("the audit has not answered yet", next_look(noted.at, systems))


@dataclass(frozen=True, kw_only=True)
class _Query:
    """A question to the audit, "" before it is put, and the moment from which it is waited for."""

    id: str
    at: datetime


def _noted(systems: Systems) -> _Query:
    noted: Any = systems.steps.done().get("audit_query")
    if noted is None:
        return _Query(id="", at=systems.now())
    return _Query(id=noted["id"], at=datetime.fromisoformat(noted["at"]))


def counted(records: Iterable[AuditRecord]) -> Mapping[str, Json]:
    """Return how many records there are, and the newest one's time."""
    times = [record.at for record in records]
    told = [each for each in times if parse_moment(each)]
    return {"audit": {"records": len(times), "newest": max(told, default=None)}}


def unavailable(reason: str) -> Mapping[str, Json]:
    """Return what stands in the place of the numbers where the audit cannot be read."""
    return {"audit": {"unavailable": reason}}
