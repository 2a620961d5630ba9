"""Put a web deployment back on the release that it had before our last deployment."""

from __future__ import annotations

from typing import Any

from tasks.apis.capabilities import Capabilities
from tasks.apis.deployments import Release
from tasks.apis.systems import Systems
from tasks.errors import Rejected, Unsupported
from tasks.giving import Giving, give, read_deployment
from tasks.messages import RollbackDeployment
from tasks.operations import Operation, Outcome


def roll_back(message: RollbackDeployment, systems: Systems) -> Outcome:
    """Give the deployment the release that `to` names, else the one before its own.

    The deployment is kept for this operation until it has ended. Raises `Rejected` where no release
    before its own is known, and what `give` raises.
    """
    systems.steps.reserve(f"deployment:{message.deployment_id}")
    if "target" not in systems.steps.done():
        systems.steps.note("target", str(choose_target(message, systems)))
    target: Any = systems.steps.done()["target"]
    giving = Giving(
        deployment_id=message.deployment_id, release=Release.parse(target), systems=systems
    )
    before = give(giving, remember=message.to is not None)
    return Outcome(
        status="done" if before else "noop",
        detail={
            "deployment_id": message.deployment_id,
            "release": target,
            "previous": str(before) if before else None,
        },
    )


def choose_target(message: RollbackDeployment, systems: Systems) -> Release:
    """Return the release to go back to, or raise `Rejected` where none is known."""
    if message.to:
        return named_release(message.to)
    current = read_deployment(message.deployment_id, systems).release
    target = systems.history.before(message.deployment_id, current)
    if target is None:
        raise Rejected(
            f"deployment_id: it has {current}, which no deployment of ours gave it; name the"
            " release to go back to"
        )
    return target


def named_release(text: str) -> Release:
    """Return the release that `text` names, or raise `Rejected`."""
    try:
        return Release.parse(text)
    except ValueError as error:
        raise Rejected(f"to: {error}") from None


def check(_: RollbackDeployment, can: Capabilities) -> None:
    """Raise `Unsupported` where the contract has no deployments."""
    if not can.deployments:
        raise Unsupported(
            f"deployment_id: the {can.contract} contract knows no versions to go back to; deploy"
            " the earlier configuration again"
        )


OPERATION = Operation(
    message=RollbackDeployment,
    use_case=roll_back,
    check=check,
    calls=lambda _: 5,  # choose, read, put, read, see
    subject=lambda message: {"deployment": message.deployment_id},
)
