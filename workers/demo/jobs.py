"""Names of operations that only the API can complete: it gives out the ids of its jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from workers.demo.plan import Plan, Planned

#: Stands for the job's id in the suffix of what follows it.
JOB_ID = "{job_id}"


def with_job_ids(plan: Plan, started: Iterable[Mapping[str, Any]]) -> Plan:
    """Return `plan` with the ids of the replications that the sandbox has `started`, by now."""
    jobs = {record["correlation_id"]: record["subject"] for record in started}
    return Plan(planned=tuple(_named(each, jobs.get(each.operation_id)) for each in plan.planned))


def _named(planned: Planned, job_id: str | None) -> Planned:
    if job_id is None:
        return planned
    follow_ups = tuple(
        replace(each, suffix=each.suffix.replace(JOB_ID, job_id))
        for each in planned.errand.follow_ups
    )
    return replace(planned, errand=replace(planned.errand, follow_ups=follow_ups))
