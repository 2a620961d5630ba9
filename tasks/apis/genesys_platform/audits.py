"""The audit of web deployments: asked for, waited for, and read by cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.apis import answers
from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Call
from tasks.apis.genesys import AuditRecord
from tasks.apis.genesys_platform.cursors import CursorPage, read_to_end
from tasks.apis.http import Http
from tasks.apis.moments import iso

QUERY = "/api/v2/audits/query"
SERVICE = "WebDeployments"
PERMISSION = "audits:audit:view"
PAGE_SIZE = 500

#: States of a query that is still worked on, and of one that will bring nothing.
RUNNING = frozenset({"Queued", "Running"})
LOST = frozenset({"Failed", "Cancelled"})


class _Query(Body):
    id: str
    state: str = ""


class _Entity(Body):
    id: str = ""


class _Record(Body):
    action: str = ""
    entity: _Entity = _Entity()
    event_date: str = ""

    def value(self) -> AuditRecord:
        return AuditRecord(action=self.action, organization_id=self.entity.id, at=self.event_date)


class _Results(Body):
    entities: list[_Record] = []
    cursor: str = ""


@dataclass(frozen=True, kw_only=True)
class PlatformAudits:
    """Implements the audit's half of the `Deployments` seam.

    A query's id is the vendor's transaction and, after it, the entities that were asked for: the
    vendor does not say how several filters on `EntityId` combine, so that they are chosen here.
    """

    http: Http

    def ask_for_changes(self, start: datetime, end: datetime, entity_ids: Sequence[str]) -> str:
        call = Call(
            method="POST",
            route=QUERY,
            body={"interval": f"{iso(start)}/{iso(end)}", "serviceName": SERVICE},
            needs=PERMISSION,
        )
        return " ".join((read_as(_Query, self.http, call).id, *entity_ids))

    def changes(self, query_id: str) -> Iterator[AuditRecord] | None:
        """Return the records of all pages, None while the query is under way.

        Raises `OutcomeUnknown` where the API gave the query up.
        """
        transaction, *entity_ids = query_id.split()
        call = Call(
            method="GET",
            route=f"{QUERY}/{{transaction}}",
            ids={"transaction": transaction},
            needs=PERMISSION,
        )
        state = read_as(_Query, self.http, call).state
        if state in RUNNING:
            return None
        if state in LOST:
            lost = answers.unknown(self.http.endpoint.system, call, 200)
            lost.note = "the audit gave the query up"
            raise lost
        return self._records(transaction, frozenset(entity_ids))

    def _records(self, transaction: str, entity_ids: frozenset[str]) -> Iterator[AuditRecord]:
        records = read_to_end(self.http, lambda cursor: self._page(transaction, cursor))
        return (each.value() for each in records if each.entity.id in entity_ids)

    def _page(self, transaction: str, cursor: str) -> CursorPage[_Record]:
        call = Call(
            method="GET",
            route=f"{QUERY}/{{transaction}}/results",
            ids={"transaction": transaction},
            query={"pageSize": str(PAGE_SIZE), **({"cursor": cursor} if cursor else {})},
            needs=PERMISSION,
        )
        body = read_as(_Results, self.http, call)
        return CursorPage(call=call, items=body.entities, after=body.cursor)
