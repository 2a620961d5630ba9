"""What an organisation of the Platform API begins with."""

from __future__ import annotations

import random

from workers.sandbox.seed import web_deployments
from workers.sandbox.world import Organization

#: Names of configurations; each has a deployment.
SITES = ("shop", "support")


def fill(rng: random.Random, organization: Organization, *, epoch: float) -> None:
    """Add configurations with three and two versions, and their deployments, all of `epoch`."""
    for site, versions in zip(SITES, (3, 2), strict=True):
        made = web_deployments.configuration(rng, site, modified=epoch, versions=versions)
        organization.web_configurations[made["id"]] = made
        shown = web_deployments.deployment(rng, site, made, modified=epoch)
        organization.web_deployments[shown["id"]] = shown
