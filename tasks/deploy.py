"""Deploy a web messaging configuration to one or several organisations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasks import replication, webmessaging
from tasks.apis.capabilities import Capabilities
from tasks.apis.genesys import Configuration, Configurations
from tasks.apis.systems import Systems, offered
from tasks.changes import count_changes
from tasks.compact_json import Json
from tasks.errors import (
    ApiError,
    OutcomeUnknown,
    RateLimited,
    StateChanged,
    Unauthenticated,
    Unreachable,
    Unsupported,
)
from tasks.messages import DeployConfig
from tasks.operations import Operation, Outcome
from tasks.release import CALLS_OF_A_RELEASE, release_config
from tasks.waiting import Waiting

#: The version under which a configuration is put where there is none.
NO_VERSION = "0"

#: A version as vendors count or hash them, also as an entity tag.
_VERSION = re.compile(r"(?:W/)?\"?[A-Za-z0-9._:+/=\-]{1,80}\"?")

#: What concerns every organisation alike, so that going on with the next one is of no use.
COMMON = (RateLimited, Unauthenticated, Unreachable)


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """An organisation that has the configuration. `blind`: the API did not let it be read."""

    changed: bool
    version: str | None
    blind: bool = False

    @property
    def result(self) -> str:
        return "deployed" if self.changed else "unchanged"


Results = Mapping[str, Deployed]


def deploy_config(
    message: DeployConfig, genesys: Configurations, waiting: Waiting, started: datetime
) -> Outcome:
    """Put the configuration on each organisation that does not have it, and list all of them.

    With `replicate` only the first is put, and the API copies it to the others. Raises what
    `deploy_to_each` raises.
    """
    fields = webmessaging.payload(message.config)
    if message.replicate:
        return deploy_and_replicate(message, fields, genesys, waiting, started)
    organization_ids = message.organization_ids or ()
    return _outcome(message, deploy_to_each(organization_ids, fields, genesys), genesys)


def deploy_and_replicate(
    message: DeployConfig,
    fields: Mapping[str, Any],
    genesys: Configurations,
    waiting: Waiting,
    started: datetime,
) -> Outcome:
    """Deploy to the source, and have it copied unless every target has the fields already."""
    source_id, target_ids = replication.split(message)
    results = deploy_to_each([source_id], fields, genesys)
    if all(has_fields(genesys.read_configuration(each), fields) for each in target_ids):
        return _outcome(message, results, genesys, replicated="unchanged")
    confirmation = replication.start(message, genesys, waiting, started)
    if confirmation is None:
        return _outcome(message, results, genesys, replicated="acknowledged")
    return Outcome(
        status="accepted",
        detail={**_detail(message, results), "replicated": "requested"},
        follow_ups=(confirmation,),
    )


def deploy_to_each(
    organization_ids: Iterable[str], fields: Mapping[str, Any], genesys: Configurations
) -> Results:
    """Deploy to every organisation, also where others fail.

    Where any failed, the error to act on is raised with the list of all in its text. An error that
    may be mended by another try comes first; that try finds the others unchanged.
    """
    results: dict[str, Deployed] = {}
    failures: dict[str, ApiError] = {}
    for organization_id in organization_ids:
        try:
            results[organization_id] = deploy(organization_id, fields, genesys)
        except COMMON:
            raise
        except ApiError as error:
            failures[organization_id] = error
    if failures:
        raise _foremost(failures, results)
    return results


def deploy(organization_id: str, fields: Mapping[str, Any], genesys: Configurations) -> Deployed:
    """Set our fields in the organisation's configuration, under the version that was read.

    Raises `StateChanged` where somebody else was faster: the next try reads what they wrote.
    """
    current = genesys.read_configuration(organization_id)
    if current is None:
        return deploy_unread(organization_id, fields, genesys)
    return deploy_over(organization_id, fields, current, genesys)


def deploy_over(
    organization_id: str,
    fields: Mapping[str, Any],
    current: Configuration,
    genesys: Configurations,
) -> Deployed:
    """Put our fields over the current document, unless it has them."""
    if has_fields(current, fields):
        return Deployed(changed=False, version=current.version)
    document = webmessaging.apply(fields, current.document)
    version = genesys.put_configuration(organization_id, document, current.version)
    return Deployed(changed=True, version=version)


def deploy_unread(
    organization_id: str, fields: Mapping[str, Any], genesys: Configurations
) -> Deployed:
    """Put our fields where nothing could be read: there is nothing, or the API hides it.

    The refusal of version 0 tells which. What appeared meanwhile is read; what is hidden is
    replaced under the version told, and `blind` says that fields of others could not be kept.
    """
    try:
        version = genesys.put_configuration(organization_id, fields, NO_VERSION)
        return Deployed(changed=True, version=version)
    except StateChanged as refusal:
        if refusal.version is None:
            raise
        told = refusal.version
    current = genesys.read_configuration(organization_id)
    if current is not None:
        return deploy_over(organization_id, fields, current, genesys)
    version = genesys.put_configuration(organization_id, fields, told)
    return Deployed(changed=True, version=version, blind=True)


def has_fields(current: Configuration | None, fields: Mapping[str, Any]) -> bool:
    """Return whether setting our fields would change nothing."""
    if current is None:
        return False
    return webmessaging.apply(fields, current.document) == current.document


def _foremost(failures: Mapping[str, ApiError], results: Results) -> ApiError:
    listed = [
        *(f"{each}: {deployed.result}" for each, deployed in results.items()),
        *(f"{each}: {error}" for each, error in failures.items()),
    ]
    foremost = min(failures.values(), key=_urgency)
    if len(listed) > 1:
        foremost.note = "; ".join(listed)
    return foremost


def _urgency(error: ApiError) -> int:
    """A conflict is tried again sooner than an unknown outcome, and what is final never."""
    return 0 if isinstance(error, StateChanged) else 1 if isinstance(error, OutcomeUnknown) else 2


def _outcome(
    message: DeployConfig, results: Results, genesys: Configurations, **facts: Json
) -> Outcome:
    changed = any(deployed.changed for deployed in results.values())
    acknowledged = facts.get("replicated") == "acknowledged"
    audit = count_changes(message.audit_window, message.organization_ids or (), genesys)
    return Outcome(
        status="done" if changed or acknowledged else "noop",
        detail={**_detail(message, results), **facts, **audit},
    )


def _detail(message: DeployConfig, results: Results) -> Mapping[str, Json]:
    blind = [each for each, deployed in results.items() if deployed.blind]
    hidden = [f"{each}: the API hides the configuration, which was replaced" for each in blind]
    return {
        "organizations": {
            each: {"result": deployed.result, "version": shown_version(deployed.version)}
            for each, deployed in results.items()
        },
        "contrast_ratio": float(webmessaging.rounded_contrast(message.config)),
        "warnings": [*webmessaging.warnings(message.config), *hidden],
    }


def shown_version(version: str | None) -> str | None:
    """Return a version as it may be told: "?" for a text of another form than versions have."""
    return version if version is None or _VERSION.fullmatch(version) else "?"


def check(message: DeployConfig, can: Capabilities) -> None:
    """Raise `Unsupported` where the contract knows no such place to deploy to, or no copying."""
    if message.replicate and not can.replication:
        raise Unsupported(
            f"replicate: the {can.contract} contract copies nothing between organisations;"
            " each organisation is a tenant, and gets a message of its own"
        )
    if message.organization_ids is None and not can.deployments:
        raise Unsupported(f"deployment_id: the {can.contract} contract deploys to organization_ids")
    if message.organization_ids is not None and not can.organizations:
        raise Unsupported(
            f"organization_ids: the {can.contract} contract deploys to a deployment_id with a"
            " configuration_id; each organisation is a tenant, and gets a message of its own"
        )


def use_case(message: DeployConfig, systems: Systems) -> Outcome:
    """Deploy to what the message names: organisations, or a deployment."""
    if message.organization_ids is None:
        return release_config(message, systems)
    return deploy_config(
        message, offered(systems.configurations), systems.replication, systems.started
    )


def usual_calls(message: DeployConfig) -> int:
    """Return how many calls a deployment makes, the one to the audit counted in."""
    if message.organization_ids is None:
        return CALLS_OF_A_RELEASE
    return 2 * len(message.organization_ids) + 1  # read and put each


OPERATION = Operation(
    message=DeployConfig,
    use_case=use_case,
    check=check,
    locks=lambda message: tuple(f"configuration:{each}" for each in message.organization_ids or ()),
    calls=usual_calls,
)
