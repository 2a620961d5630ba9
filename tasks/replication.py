"""Copy a deployed configuration to other organisations, and see that it has arrived."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tasks.apis.genesys import Configurations
from tasks.apis.systems import offered
from tasks.changes import count_changes
from tasks.compact_json import Json
from tasks.errors import Failed, OutcomeUnknown, Postponed, Unreachable
from tasks.messages import ConfirmReplication, DeployConfig
from tasks.operations import FollowUp, Operation, Outcome
from tasks.waiting import Waiting

#: Seconds that a request without an answer is given to show in the targets.
SETTLING = 10.0


def start(
    message: DeployConfig, genesys: Configurations, waiting: Waiting, started: datetime
) -> FollowUp | None:
    """Ask for the replication of the first organisation's configuration to the others.

    Returns the message that follows the job to its end, None where the API names no job. It is the
    same for the same job, whenever the deployment is repeated: `started` is its first claim.
    """
    source_id, target_ids = split(message)
    job_id = request(source_id, target_ids, message.overwrite_existing, genesys)
    if job_id is None:
        return None
    confirm = ConfirmReplication(
        tenant=message.tenant,
        correlation_id=message.correlation_id,
        job_id=job_id,
        source_id=source_id,
        target_ids=target_ids,
        requested_at=started,
        audit_window=message.audit_window,
    )
    return FollowUp(message=confirm, suffix=f"replication-{job_id}", delay=waiting.first)


def split(message: DeployConfig) -> tuple[str, list[str]]:
    """Return the organisation that is copied, and those it is copied to."""
    organization_ids = message.organization_ids or []
    return organization_ids[0], organization_ids[1:]


def request(
    source_id: str, target_ids: list[str], overwrite_existing: bool, genesys: Configurations
) -> str | None:
    """Send the request and return the job's id.

    Where no answer came, `OutcomeUnknown` asks to be tried again late enough for a job that was
    started to be seen in its targets.
    """
    try:
        return genesys.replicate(source_id, target_ids, overwrite_existing=overwrite_existing)
    except Unreachable:
        raise
    except OutcomeUnknown as error:
        error.settling = SETTLING
        raise


def confirm_replication(
    message: ConfirmReplication,
    genesys: Configurations,
    waiting: Waiting,
    now: Callable[[], datetime],
) -> Outcome:
    """Report the replication's end, and the time in ms that has passed since it was asked for.

    The time counts from the deployment's first claim, and is exact to the interval at which the job
    is asked for. Raises `Postponed` while the job is running, up to the deadline, which counts from
    the confirmation's own first claim, and `Failed` where the API gave the job up.
    """
    job = genesys.read_replication(message.job_id)
    elapsed = (now() - message.requested_at).total_seconds()
    if job.state == "failed":
        raise Failed(f"replication: the API ended job {message.job_id} as failed")
    if job.state == "running":
        raise Postponed(
            f"replication: job {message.job_id} is running",
            wait=waiting.next_wait(elapsed),
            deadline=waiting.deadline,
        )
    organizations = (message.source_id, *message.target_ids)
    detail: dict[str, Json] = {
        "job_id": message.job_id,
        "source": message.source_id,
        "replicated": [each for each in message.target_ids if each not in job.skipped],
        "skipped": [each for each in message.target_ids if each in job.skipped],
        "activation_latency_ms": round(elapsed * 1000),
        **count_changes(message.audit_window, organizations, genesys),
    }
    return Outcome(detail=detail)


OPERATION = Operation(
    message=ConfirmReplication,
    use_case=lambda message, systems: confirm_replication(
        message, offered(systems.configurations), systems.replication, systems.now
    ),
)
