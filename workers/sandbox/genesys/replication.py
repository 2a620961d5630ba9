"""Replication: a configuration copied to other organisations by a job that takes its time."""

from __future__ import annotations

import copy
from typing import Literal

from workers.sandbox.call import Answer, Body, Call, Route
from workers.sandbox.errors import bad_request, unprocessable
from workers.sandbox.genesys import configurations
from workers.sandbox.wire import iso
from workers.sandbox.world import Document, find, new_id

REPLICATED = "webchat:configuration:replicate"
MOST_TARGETS = 100


class ReplicationRequest(Body):
    """Body of `POST /webchat/configurations/replicate`."""

    source_organization_id: str
    target_organization_ids: list[str]
    config_type: Literal["webchat"]
    overwrite_existing: bool


def start_replication(call: Call) -> Answer:
    """`POST /webchat/configurations/replicate` → `{id, status}`; by option without the id.

    What is copied is the source's configuration as it is at this moment.
    """
    asked = call.body(ReplicationRequest)
    source = _check(call, asked)
    job: Document = {
        "id": new_id(call.world.rng),
        "status": "PENDING",
        "sourceOrganizationId": asked.source_organization_id,
        "targetOrganizationIds": asked.target_organization_ids,
        "overwriteExisting": asked.overwrite_existing,
        "completed": [],
        "skipped": [],
        "dateStarted": iso(call.now),
    }
    call.organization.replications[job["id"]] = job
    _schedule(call, job, copy.deepcopy(source))
    call.effect(
        "replication.started",
        job["id"],
        source=asked.source_organization_id,
        targets=asked.target_organization_ids,
        overwrite_existing=asked.overwrite_existing,
    )
    if not call.options.replication_id:
        return Answer(status=202, body={"status": "ACCEPTED"})
    return Answer(status=202, body={"id": job["id"], "status": job["status"]})


def read_replication(call: Call) -> Answer:
    """`GET /webchat/configurations/replicate/{id}`: the job, with what it copied and skipped."""
    return Answer(body=find(call.organization.replications, "replication", call.path["id"]))


def _check(call: Call, asked: ReplicationRequest) -> Document:
    targets = asked.target_organization_ids
    if not 1 <= len(targets) <= MOST_TARGETS or len(set(targets)) != len(targets):
        rule = f"must name from 1 to {MOST_TARGETS} organisations, each once"
        raise bad_request(f"targetOrganizationIds: {rule}")
    if asked.source_organization_id in targets:
        message = "targetOrganizationIds: must not name the source"
        raise unprocessable("replication.self", message)
    for organization_id in (asked.source_organization_id, *targets):
        configurations.known(call, organization_id)
    held = call.organization.configurations
    return find(held, "configuration", asked.source_organization_id)


def _schedule(call: Call, job: Document, source: Document) -> None:
    options, timeline = call.options, call.world.timeline
    runs_at = call.now + options.replication_pending_seconds

    def run(_: float) -> None:
        job["status"] = "RUNNING"

    def end(at: float) -> None:
        job["dateEnded"] = iso(at)
        job["status"] = options.replication_outcome
        if job["status"] == "COMPLETED":
            _copy(call, job, source, at)
        kind = f"replication.{job['status'].lower()}"
        call.effect(kind, job["id"], at, completed=job["completed"], skipped=job["skipped"])

    timeline.schedule(runs_at, run)
    timeline.schedule(runs_at + options.replication_running_seconds, end)


def _copy(call: Call, job: Document, source: Document, at: float) -> None:
    for target in job["targetOrganizationIds"]:
        if target in call.organization.configurations and not job["overwriteExisting"]:
            job["skipped"].append(target)
            continue
        configurations.commit(call, target, source, at=at, action=REPLICATED)
        job["completed"].append(target)


ROUTES = (
    Route(
        method="POST",
        path="/api/v2/webchat/configurations/replicate",
        scope="webchat:configuration:write",
        handle=start_replication,
    ),
    Route(
        method="GET",
        path="/api/v2/webchat/configurations/replicate/{id}",
        scope="webchat:configuration:read",
        handle=read_replication,
    ),
)
