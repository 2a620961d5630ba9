"""Web messaging configurations, their replication and their audit, by the `guide` contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tasks.apis import answers
from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Answer, Call
from tasks.apis.genesys import AuditRecord, Configuration, Replication
from tasks.apis.http import Http
from tasks.apis.moments import iso
from tasks.apis.pages import Page, read_all
from tasks.fields import is_identifier

CONFIGURATIONS = "/api/v2/webchat/organizations/{organization_id}/configurations"
REPLICATIONS = "/api/v2/webchat/configurations/replicate"
READ = "webchat:configuration:read"
WRITE = "webchat:configuration:write"
UPDATED = "webchat:configuration:update"
AUDIT_PAGE_SIZE = 25

#: Statuses that end a replication; with any other one it is still running.
ENDS: Mapping[str, Literal["completed", "failed"]] = {
    "COMPLETED": "completed",
    "SUCCEEDED": "completed",
    "SUCCESS": "completed",
    "FAILED": "failed",
    "ERROR": "failed",
    "CANCELLED": "failed",
}


class _Replication(Body):
    status: str
    skipped: list[str] = []


class _AuditRecord(Body):
    id: str = ""
    action: str = ""
    organization_id: str = ""
    timestamp: str = ""


class _AuditPage(Body):
    records: list[_AuditRecord]


@dataclass(frozen=True, kw_only=True)
class GuideConfigurations:
    """Implements the `Configurations` seam."""

    http: Http

    def read_configuration(self, organization_id: str) -> Configuration | None:
        """Return the configuration; a 404 or 405 means that there is nothing to be read."""
        call = Call(
            method="GET",
            route=CONFIGURATIONS,
            ids={"organization_id": organization_id},
            needs=READ,
            allowed=frozenset({404, 405}),
        )
        answer = self.http.call(call)
        if answer.status in call.allowed:
            return None
        version = _version(answer)
        if version is None or not isinstance(answer.body, dict):
            raise answers.unknown(self.http.endpoint.system, call, answer.status)
        document = {name: value for name, value in answer.body.items() if name != "version"}
        return Configuration(version=version, document=document)

    def put_configuration(
        self, organization_id: str, document: Mapping[str, object], version: str
    ) -> str | None:
        call = Call(
            method="PUT",
            route=CONFIGURATIONS,
            ids={"organization_id": organization_id},
            headers={"If-Match": version},
            body=document,
            needs=WRITE,
            kind="write",
            effect=True,
        )
        return _version(self.http.call(call))

    def replicate(
        self, source_id: str, target_ids: Sequence[str], *, overwrite_existing: bool
    ) -> str | None:
        call = Call(
            method="POST",
            route=REPLICATIONS,
            body={
                "sourceOrganizationId": source_id,
                "targetOrganizationIds": list(target_ids),
                "configType": "webchat",
                "overwriteExisting": overwrite_existing,
            },
            needs=WRITE,
            kind="replication",
            effect=True,
        )
        body = self.http.call(call).body
        job_id = body.get("id") if isinstance(body, dict) else None
        return job_id if is_identifier(job_id) else None

    def read_replication(self, job_id: str) -> Replication:
        call = Call(
            method="GET",
            route=f"{REPLICATIONS}/{{job_id}}",
            ids={"job_id": job_id},
            needs=READ,
            kind="replication",
        )
        body = read_as(_Replication, self.http, call)
        return Replication(
            state=ENDS.get(body.status.upper(), "running"),
            status=body.status,
            skipped=body.skipped,
        )

    def configuration_changes(
        self, organization_ids: Sequence[str], start: datetime, end: datetime
    ) -> Iterator[AuditRecord]:
        """Yield the records of all pages. Raises what `read_all` raises."""
        query = {
            "actions": [UPDATED],
            "organizations": list(organization_ids),
            "timeRange": {"start": iso(start), "end": iso(end)},
        }
        pages = read_all(
            self.http,
            lambda number: self._audit_page(query, number),
            identity=lambda record: record,
        )
        return (
            AuditRecord(action=r.action, organization_id=r.organization_id, at=r.timestamp)
            for r in pages
        )

    def _audit_page(self, query: Mapping[str, Any], number: int) -> Page[_AuditRecord]:
        call = Call(
            method="POST",
            route="/api/v2/audit/records/query",
            body={"query": query, "pageSize": AUDIT_PAGE_SIZE, "page": number},
            needs="audit:read",
        )
        records = read_as(_AuditPage, self.http, call).records
        return Page(call=call, items=records, full=len(records) >= AUDIT_PAGE_SIZE)


def _version(answer: Answer) -> str | None:
    """Return the version that the body tells, else the entity tag."""
    told = answer.body.get("version") if isinstance(answer.body, dict) else None
    if told is None:
        told = answer.headers.get("ETag")
    return None if told is None else str(told)
