"""Details of conversations by analytics: what its queries and its jobs have in common, and jobs.

A job takes any number of conversations, and its time; it knows what is older than some hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime

from tasks.apis.bodies import Body, read_as
from tasks.apis.calls import Call
from tasks.apis.http import Http
from tasks.apis.moments import iso
from tasks.errors import Failed, Postponed

DETAILS = "/api/v2/analytics/conversations/details"
PERMISSION = "analytics:conversationDetail:view"
LONGEST_QUERY = timedelta(days=31)
#: A longer list is left to a job, since deep pages of a query are refused.
LONGEST_LIST = 10_000

#: Seconds until a job is looked at again, and until it is given up.
JOB_WAIT = 10.0
JOB_DEADLINE = 3_600.0
LOST = frozenset({"FAILED", "CANCELLED", "EXPIRED"})

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Availability(Body):
    data_availability_date: AwareDatetime


class _Job(Body):
    job_id: str


class _JobState(Body):
    state: str


def available(http: Http) -> datetime:
    """Return up to when jobs know of all conversations."""
    call = Call(method="GET", route=f"{DETAILS}/jobs/availability", needs=PERMISSION)
    return read_as(_Availability, http, call).data_availability_date


def start(http: Http, filters: Mapping[str, object], since: datetime, until: datetime) -> str:
    """Start a job and return its id: it finds all that was active in a time."""
    call = Call(
        method="POST",
        route=f"{DETAILS}/jobs",
        body={**filters, "interval": interval(since, until)},
        needs=PERMISSION,
    )
    return read_as(_Job, http, call).job_id


def check_fulfilled(http: Http, job_id: str) -> None:
    """Raise `Postponed` while a job is under way, and `Failed` where the API gave it up."""
    call = Call(
        method="GET", route=f"{DETAILS}/jobs/{{job_id}}", ids={"job_id": job_id}, needs=PERMISSION
    )
    state = read_as(_JobState, http, call).state
    if state in LOST:
        raise Failed(f"since: the API ended the search as {state}")
    if state != "FULFILLED":
        raise Postponed("the search is under way", wait=JOB_WAIT, deadline=JOB_DEADLINE)


def results(job_id: str, page_size: int, after: str) -> Call:
    """Return the call for a page of a job's results, the first one where `after` is empty."""
    return Call(
        method="GET",
        route=f"{DETAILS}/jobs/{{job_id}}/results",
        ids={"job_id": job_id},
        query={"pageSize": str(page_size), **({"cursor": after} if after else {})},
        needs=PERMISSION,
    )


def interval(since: datetime, until: datetime) -> str:
    """Return a time as analytics takes it."""
    return f"{iso(since)}/{iso(until)}"


def milliseconds(moment: datetime) -> int:
    """Return a moment as cursors hold it."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def moment_of(milliseconds: int) -> datetime:
    """Return the moment that a cursor holds."""
    return EPOCH + timedelta(milliseconds=milliseconds)
