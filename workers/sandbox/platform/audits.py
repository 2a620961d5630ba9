"""Questions to the audit log: one that takes its time, and one that is answered at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, Required

# Before Python 3.12 pydantic cannot read that of `typing`.
from typing_extensions import TypedDict

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.errors import bad_request
from workers.sandbox.platform.audit_log import ACTIONS, SERVICE
from workers.sandbox.platform.errors import not_found
from workers.sandbox.platform.intervals import interval
from workers.sandbox.platform.result_cursors import cursor, place
from workers.sandbox.platform.shapes import Shape
from workers.sandbox.wire import instant, iso
from workers.sandbox.world import Document, new_id

PATH = "/api/v2/audits/query"
VIEW = ("audits:audit:view",)
USUAL_PAGE, LARGEST_PAGE = 25, 500
#: What is asked for at once is at most so old.
REALTIME = timedelta(days=14)
_STATUS = ("id", "state", "startDate", "interval", "serviceName", "filters", "sort")


class _Filter(TypedDict):
    property: Literal[
        "UserId", "TrusteeOrganizationId", "ClientId", "Action", "EntityType", "EntityId"
    ]
    value: str


class _Sort(TypedDict):
    name: Literal["Timestamp"]
    sortOrder: Literal["ascending", "descending"]


class _Query(TypedDict, total=False):
    interval: Required[str]
    serviceName: Literal["WebDeployments"]
    filters: list[_Filter]
    sort: list[_Sort]


class _RealtimeQuery(_Query, total=False):
    pageNumber: int
    pageSize: int


_SHAPE = Shape(_Query)
_REALTIME_SHAPE = Shape(_RealtimeQuery)


def read_service_mapping(_call: Call) -> Answer:
    """`GET /audits/query/servicemapping`: what can be asked for."""
    entities = [{"name": name, "actions": list(actions)} for name, actions in ACTIONS.items()]
    return Answer(body={"services": [{"name": SERVICE, "entities": entities}]})


def start_query(call: Call) -> Answer:
    """`POST /audits/query` → 202 with the transaction's id. It knows what there was when it ran."""
    asked = _SHAPE.read(call)
    interval(asked["interval"])
    query: Document = {
        **asked,
        "id": new_id(call.world.rng),
        "state": "Queued",
        "startDate": iso(call.now),
        "found": [],
    }
    call.organization.audit_queries[query["id"]] = query
    _schedule(call, query)
    return Answer(status=202, body=_status(query))


def read_query(call: Call) -> Answer:
    """`GET /audits/query/{transactionId}`: 202 until it has ended."""
    query = _known(call)
    ended = query["state"] not in ("Queued", "Running")
    return Answer(status=200 if ended else 202, body=_status(query))


def read_results(call: Call) -> Answer:
    """`GET …/results?cursor=&pageSize=` → `{entities, cursor?}`; 400 before it has succeeded."""
    query = _known(call)
    size = call.number("pageSize", USUAL_PAGE, most=LARGEST_PAGE)
    call.choices("expand", frozenset({"user"}))
    if query["state"] != "Succeeded":
        raise bad_request(f"the query is {query['state']}")
    start = place(query["id"], call.query.get("cursor"))
    page, rest = query["found"][start : start + size], query["found"][start + size :]
    body: Document = {"id": query["id"], "pageSize": size, "entities": page}
    body |= {"cursor": cursor(query["id"], start + size)} if rest else {}
    return Answer(body=body)


def query_realtime(call: Call) -> Answer:
    """`POST /audits/query/realtime` → a page of what happened in the last 14 days."""
    call.choices("expand", frozenset({"user"}))
    asked = _REALTIME_SHAPE.read(call)
    size, number = asked.get("pageSize", USUAL_PAGE), asked.get("pageNumber", 1)
    if not 1 <= size <= LARGEST_PAGE or number < 1:
        message = f"pageSize: must be from 1 to {LARGEST_PAGE}, pageNumber at least 1"
        raise bad_request(message, "constraint.validation")
    if interval(asked["interval"])[0] < instant(iso(call.now)) - REALTIME:
        raise bad_request(f"interval: must not begin earlier than {REALTIME.days} days ago")
    found = _found(call, asked)
    page = found[(number - 1) * size : number * size]
    counts = {"pageSize": size, "pageNumber": number, "total": len(found)}
    return Answer(body={"entities": page, **counts, "pageCount": -(-len(found) // size)})


def _known(call: Call) -> Document:
    transaction_id = call.path["transactionId"]
    try:
        return call.organization.audit_queries[transaction_id]
    except KeyError:
        raise not_found("audit query", transaction_id) from None


def _status(query: Document) -> Document:
    return {name: query[name] for name in _STATUS if name in query}


def _schedule(call: Call, query: Document) -> None:
    options, timeline = call.options, call.world.timeline
    runs_at = call.now + options.audit_queued_seconds

    def run(_: float) -> None:
        query["state"] = "Running"

    def end(_: float) -> None:
        query["state"] = options.audit_outcome
        query["found"] = _found(call, query)

    timeline.schedule(runs_at, run)
    timeline.schedule(runs_at + options.audit_running_seconds, end)


def _found(call: Call, asked: Mapping[str, Any]) -> list[Document]:
    start, end = interval(asked["interval"])
    found = [
        each
        for each in call.organization.platform_audit
        if start <= instant(each["eventDate"]) < end
        and asked.get("serviceName", SERVICE) == each["serviceName"]
        and all(_holds(condition, each) for condition in asked.get("filters", ()))
    ]
    descending = any(each["sortOrder"] == "descending" for each in asked.get("sort", ()))
    return found[::-1] if descending else found


def _holds(condition: Mapping[str, str], record: Document) -> bool:
    values = {
        "UserId": record["user"]["id"],
        "ClientId": record["client"]["id"],
        "Action": record["action"],
        "EntityType": record["entityType"],
        "EntityId": record["entity"]["id"],
    }
    return values.get(condition["property"]) == condition["value"]


_ONE = f"{PATH}/{{transactionId}}"
ROUTES = (
    Route(method="GET", path=f"{PATH}/servicemapping", handle=read_service_mapping, all_of=VIEW),
    Route(method="POST", path=PATH, handle=start_query, all_of=VIEW),
    Route(
        method="POST",
        path=f"{PATH}/realtime",
        handle=query_realtime,
        all_of=VIEW,
        query=frozenset({"expand"}),
        repeatable=frozenset({"expand"}),
    ),
    Route(method="GET", path=_ONE, handle=read_query, all_of=VIEW),
    Route(
        method="GET",
        path=f"{_ONE}/results",
        handle=read_results,
        all_of=VIEW,
        query=frozenset({"cursor", "pageSize", "expand", "allowRedirect"}),
        repeatable=frozenset({"expand"}),
    ),
)
