"""The vendor's audit records: who changed which configuration, and when."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from workers.sandbox.call import Answer, Body, Call, Route
from workers.sandbox.errors import bad_request
from workers.sandbox.wire import instant, iso
from workers.sandbox.world import new_id

LARGEST_PAGE = 25


class TimeRange(Body):
    """From `start` up to, and without, `end`; ISO 8601."""

    start: str
    end: str


class AuditQuery(Body):
    """Which records are wanted."""

    actions: list[str]
    organizations: list[str]
    time_range: TimeRange


class AuditRequest(Body):
    """Body of `POST /audit/records/query`."""

    query: AuditQuery
    page_size: int = Field(default=LARGEST_PAGE, ge=1, le=LARGEST_PAGE)
    page: int = Field(default=1, ge=1)


def query_records(call: Call) -> Answer:
    """`POST /audit/records/query` → `{records, page, pageSize, total}`, oldest first."""
    asked = call.body(AuditRequest)
    wanted = asked.query
    start = _moment("query.timeRange.start", wanted.time_range.start)
    end = _moment("query.timeRange.end", wanted.time_range.end)
    found = [
        each
        for each in call.organization.audit_records
        if each["action"] in wanted.actions
        and each["organizationId"] in wanted.organizations
        and start <= instant(each["timestamp"]) < end
    ]
    first = (asked.page - 1) * asked.page_size
    page = found[first : first + asked.page_size]
    body = {"records": page, "page": asked.page, "pageSize": asked.page_size, "total": len(found)}
    return Answer(body=body)


def record(
    call: Call, *, action: str, organization_id: str, client: str, version: int, at: float
) -> None:
    """Write down what has happened at `at` (epoch seconds)."""
    call.organization.audit_records.append(
        {
            "id": new_id(call.world.rng),
            "action": action,
            "organizationId": organization_id,
            "clientId": client,
            "timestamp": iso(at),
            "version": version,
        }
    )


def _moment(field: str, text: str) -> datetime:
    try:
        return instant(text)
    except ValueError:
        raise bad_request(f"{field}: must be an ISO 8601 date-time") from None


ROUTES = (
    Route(
        method="POST",
        path="/api/v2/audit/records/query",
        scope="audit:read",
        handle=query_records,
    ),
)
