"""Analytics in bulk: a job that takes its time, and its results by cursor."""

from __future__ import annotations

from datetime import datetime

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.errors import bad_request
from workers.sandbox.notifications.conversation_events import queue_id
from workers.sandbox.platform.analytics import VIEW
from workers.sandbox.platform.analytics_details import details
from workers.sandbox.platform.analytics_query import JobQuery, chosen
from workers.sandbox.platform.errors import not_found
from workers.sandbox.platform.intervals import Interval, interval
from workers.sandbox.platform.result_cursors import cursor, place
from workers.sandbox.platform.shapes import Shape
from workers.sandbox.wire import instant, iso
from workers.sandbox.world import Document, new_id

PATH = "/api/v2/analytics/conversations/details/jobs"
LARGEST_PAGE = 1_000
LIFETIME_SECONDS = 86_400.0
_SHAPE = Shape(JobQuery)
_STATUS = ("state", "errorMessage", "submissionDate", "completionDate", "expirationDate")


def start_job(call: Call) -> Answer:
    """`POST …/jobs` → 202 `{jobId}`. It knows what there was when it was asked for.

    Conversations count that were active during the interval, as far as there are data of them.
    """
    asked = _SHAPE.read(call)
    span = interval(asked["interval"])
    known = _known_until(call)
    held = call.organization.platform_conversations.values()
    active = [each for each in held if _active(each, span) and instant(each["startTime"]) < known]
    queue = queue_id(call.organization.id)
    found = chosen(asked, (details(each, queue, attributes=True) for each in active))
    job: Document = {
        "id": new_id(call.world.rng),
        "state": "QUEUED",
        "submissionDate": iso(call.now),
        "expirationDate": iso(call.now + LIFETIME_SECONDS),
        "conversations": found[: asked.get("limit")],
        "dataAvailabilityDate": iso(known.timestamp()),
    }
    call.organization.analytics_jobs[job["id"]] = job
    _schedule(call, job)
    return Answer(status=202, body={"jobId": job["id"]})


def read_job(call: Call) -> Answer:
    """`GET …/jobs/{jobId}` → `{state, …}`: 202 until it has ended."""
    job = _known(call)
    ended = job["state"] not in ("QUEUED", "PENDING")
    body = {name: job[name] for name in _STATUS if name in job}
    return Answer(status=200 if ended else 202, body=body)


def read_results(call: Call) -> Answer:
    """`GET …/jobs/{jobId}/results?cursor=&pageSize=`; the last page has no cursor.

    Raises Refused (400) before the job is FULFILLED.
    """
    job = _known(call)
    size = call.number("pageSize", LARGEST_PAGE, most=LARGEST_PAGE)
    if job["state"] != "FULFILLED":
        raise bad_request(f"the job is {job['state']}")
    start = place(job["id"], call.query.get("cursor"))
    page, rest = job["conversations"][start : start + size], job["conversations"][start + size :]
    body: Document = {"dataAvailabilityDate": job["dataAvailabilityDate"]}
    body |= {"conversations": page} if page else {}
    body |= {"cursor": cursor(job["id"], start + size)} if rest else {}
    return Answer(body=body)


def read_availability(call: Call) -> Answer:
    """`GET …/jobs/availability` → `{dataAvailabilityDate}`: up to when jobs know everything."""
    return Answer(body={"dataAvailabilityDate": iso(_known_until(call).timestamp())})


def _known(call: Call) -> Document:
    job_id = call.path["jobId"]
    try:
        return call.organization.analytics_jobs[job_id]
    except KeyError:
        raise not_found("job", job_id) from None


def _known_until(call: Call) -> datetime:
    return instant(iso(call.now - call.options.analytics_lag_seconds))


def _active(conversation: Document, span: Interval) -> bool:
    start, end = span
    ended = conversation.get("endTime")
    return instant(conversation["startTime"]) < end and (ended is None or start <= instant(ended))


def _schedule(call: Call, job: Document) -> None:
    options, timeline = call.options, call.world.timeline
    runs_at = call.now + options.analytics_queued_seconds

    def run(_: float) -> None:
        job["state"] = "PENDING"

    def end(at: float) -> None:
        job["state"] = options.analytics_outcome
        job["completionDate"] = iso(at)
        if job["state"] == "FAILED":
            job["errorMessage"] = "the query was told to fail"

    timeline.schedule(runs_at, run)
    timeline.schedule(runs_at + options.analytics_pending_seconds, end)


_ONE = f"{PATH}/{{jobId}}"
ROUTES = (
    Route(method="POST", path=PATH, handle=start_job, any_of=VIEW),
    Route(method="GET", path=f"{PATH}/availability", handle=read_availability, any_of=VIEW[:1]),
    Route(method="GET", path=_ONE, handle=read_job, any_of=VIEW),
    Route(
        method="GET",
        path=f"{_ONE}/results",
        handle=read_results,
        any_of=VIEW,
        query=frozenset({"cursor", "pageSize"}),
    ),
)
