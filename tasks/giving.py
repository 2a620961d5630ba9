"""Give a web deployment a release, and see that its guests get it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasks.apis.deployments import Deployment, Deployments, Release
from tasks.apis.systems import Systems, offered
from tasks.errors import Conflict, NotFound, Postponed, Rejected
from tasks.settling import counted_from


@dataclass(frozen=True, kw_only=True)
class Giving:
    """A deployment that is to have a release."""

    deployment_id: str
    release: Release
    systems: Systems

    @property
    def api(self) -> Deployments:
        return offered(self.systems.deployments)

    def noted(self, step: str) -> Any:
        return self.systems.steps.done().get(step)


def read_deployment(deployment_id: str, systems: Systems) -> Deployment:
    """Return the deployment, or raise `Rejected` where there is none."""
    try:
        return offered(systems.deployments).read_deployment(deployment_id)
    except NotFound:
        raise Rejected(f"deployment_id: there is no deployment {deployment_id}") from None


def give(giving: Giving, *, remember: bool) -> Release | None:
    """Give the deployment its release; return the one before, None where it has it already.

    `remember` keeps the one before for a rollback, before anything is written. Raises `Postponed`
    until guests get the release, and `Conflict` where somebody gave the deployment another one.
    """
    deployment = read_deployment(giving.deployment_id, giving.systems)
    if giving.noted("deployed") is None:
        if deployment.release != giving.release:
            put(giving, deployment, remember=remember)
        giving.systems.steps.note("deployed", giving.systems.now().isoformat())
        deployment = read_deployment(giving.deployment_id, giving.systems)
    with counted_from(datetime.fromisoformat(giving.noted("deployed")), giving.systems):
        check_live(giving, deployment)
    return before(giving)


def before(giving: Giving) -> Release | None:
    """Return the release that this operation has replaced."""
    noted = giving.noted("previous")
    return Release.parse(noted["release"]) if noted else None


def put(giving: Giving, deployment: Deployment, *, remember: bool) -> None:
    """Give the release to the deployment as it was read; its other fields stay."""
    previous = deployment.release
    noted = giving.noted("previous")
    if noted is None:
        noted = {"release": str(previous), "at": giving.systems.now().isoformat()}
        giving.systems.steps.note("previous", noted)
    elif noted["release"] != str(previous):
        raise somebody_gave(previous, giving)
    at = noted["at"]
    if remember:
        giving.systems.history.remember(giving.deployment_id, giving.release, previous)
    with counted_from(datetime.fromisoformat(at), giving.systems):
        giving.api.put_deployment(deployment, giving.release)


def check_live(giving: Giving, deployment: Deployment) -> None:
    """Raise `Postponed` until the deployment shows the release."""
    if deployment.release not in (giving.release, before(giving)):
        raise somebody_gave(deployment.release, giving)
    given = deployment.active and deployment.release == giving.release
    if not given or giving.api.live_release(giving.deployment_id) != giving.release:
        deadline = giving.systems.platform.deployment_deadline_seconds
        raise Postponed(f"the deployment does not show {giving.release} yet", 0, deadline)


def somebody_gave(release: Release, giving: Giving) -> Conflict:
    """Return what is raised where the deployment has a release that nobody expected."""
    return Conflict(
        f"deployment_id: somebody gave it {release} while {giving.release} was on its way"
    )
