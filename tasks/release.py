"""Deploy a web messaging configuration by draft, version and deployment (the `platform` contract).

A saga: its steps are kept with the operation, so that the next attempt goes on where the last one
stopped, and every wait is a delayed message. Publishing alone changes no site: only what a
deployment has been given, and is seen to show, is deployed.
"""

from __future__ import annotations

from tasks import messenger_configuration, webmessaging
from tasks.apis.deployments import Release
from tasks.apis.systems import Systems
from tasks.changes import release_changes
from tasks.drafting import Drafting, Version, version_with_ours
from tasks.giving import Giving, give, read_deployment
from tasks.messages import DeployConfig
from tasks.operations import Outcome

#: Two readings of the deployment, three of the configuration, one of what is live; three writes.
CALLS_OF_A_RELEASE = 11


def release_config(message: DeployConfig, systems: Systems) -> Outcome:
    """Publish the configuration with our fields, give it to the deployment, and see it live.

    Configuration and deployment are kept for this operation until it has ended. Raises what
    `version_with_ours` and `give` raise.
    """
    configuration_id, deployment_id = str(message.configuration_id), str(message.deployment_id)
    systems.steps.reserve(f"configuration:{configuration_id}")
    systems.steps.reserve(f"deployment:{deployment_id}")
    read_deployment(deployment_id, systems)
    version = version_with_ours(
        Drafting(
            configuration_id=configuration_id,
            config=message.config,
            overwrite=message.overwrite_existing,
            systems=systems,
        )
    )
    release = Release(configuration_id=configuration_id, version=version.number)
    giving = Giving(deployment_id=deployment_id, release=release, systems=systems)
    return _outcome(message, giving, version, before=give(giving, remember=True))


def _outcome(
    message: DeployConfig, giving: Giving, version: Version, *, before: Release | None
) -> Outcome:
    entities = (giving.release.configuration_id, giving.deployment_id)
    return Outcome(
        status="done" if version.made or before else "noop",
        detail={
            "deployment_id": giving.deployment_id,
            "release": str(giving.release),
            "previous": str(before) if before else None,
            "published": version.made,
            "not_carried": messenger_configuration.not_carried(message.config),
            "contrast_ratio": float(webmessaging.rounded_contrast(message.config)),
            "warnings": [
                *webmessaging.warnings(message.config),
                *messenger_configuration.unseen(version.document),
            ],
            **release_changes(message.audit_window, entities, giving.systems),
        },
    )
