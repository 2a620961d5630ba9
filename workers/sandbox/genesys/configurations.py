"""Web messaging configurations, written under a version."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from workers.sandbox.call import Answer, Call, Route, overlay
from workers.sandbox.errors import Refused, bad_request, conflict, not_found, unprocessable
from workers.sandbox.genesys import audit
from workers.sandbox.genesys.configuration_rules import problems
from workers.sandbox.losses import dropped
from workers.sandbox.wire import digest, iso
from workers.sandbox.world import Document, find

UPDATED = "webchat:configuration:update"
#: Fields that the API itself sets.
_OWN = ("organizationId", "version", "dateModified")
ANOTHER_WRITER = "another-writer"


def read_configuration(call: Call) -> Answer:
    """`GET /webchat/organizations/{orgId}/configurations`, unless the options forbid it."""
    status = call.options.configuration_get
    if status != "ok":
        headers = {"Allow": "PUT"} if status == 405 else {}
        raise Refused(status, "not.supported", "there is no such operation", headers=headers)
    known(call, call.path["orgId"])
    return Answer(body=find(call.organization.configurations, "configuration", call.path["orgId"]))


def put_configuration(call: Call) -> Answer:
    """`PUT …/configurations` with `If-Match`: replaces the whole document.

    What the sent one leaves out is gone, other writers' fields included: the effect's
    `dropped` names their paths, and `sha256` has the digest of each field that was sent.
    An organisation without a configuration has version 0.
    """
    organization_id = call.path["orgId"]
    known(call, organization_id)
    sent = call.json()
    _check_version(call, organization_id)
    _check_own(call, sent)
    if broken := problems(sent):
        errors = [asdict(problem) for problem in broken]
        raise unprocessable("configuration.invalid", "the configuration is invalid", errors=errors)
    old = call.organization.configurations.get(organization_id, {})
    document = commit(call, organization_id, sent, at=call.now, action=UPDATED)
    call.effect(
        "configuration.put",
        organization_id,
        version=document["version"],
        dropped=sorted(dropped(old, document)),
        sha256={name: digest(value) for name, value in document.items() if name not in _OWN},
    )
    return Answer(body=document)


def known(call: Call, organization_id: str) -> None:
    """Raise Refused (404) unless this tenant manages that organisation."""
    if organization_id not in call.organization.organization_ids:
        raise not_found("organization", organization_id)


def commit(
    call: Call,
    organization_id: str,
    document: Mapping[str, Any],
    *,
    at: float,
    action: str,
    client: str | None = None,
) -> Document:
    """Store a document as the next version, for the audit too, and return it."""
    held = call.organization.configurations
    version = held.get(organization_id, {}).get("version", 0) + 1
    own = {"organizationId": organization_id, "version": version, "dateModified": iso(at)}
    held[organization_id] = {**copy.deepcopy(dict(document)), **own}
    audit.record(
        call,
        action=action,
        organization_id=organization_id,
        client=client or call.client,
        version=version,
        at=at,
    )
    return held[organization_id]


def _check_own(call: Call, sent: Document) -> None:
    organization_id = call.path["orgId"]
    if sent.get("organizationId", organization_id) != organization_id:
        raise bad_request("organizationId: must be that of the path")
    version = call.organization.configurations.get(organization_id, {}).get("version", 0)
    if sent.get("version", version) != version:
        raise bad_request("version: must be that of If-Match")


def _check_version(call: Call, organization_id: str) -> None:
    sent = call.entry.if_match
    if sent is None:
        raise Refused(428, "precondition.required", "If-Match: is required")
    digits = sent.strip().strip('"')
    if not (digits.isascii() and digits.isdigit()):
        raise bad_request("If-Match: must be a version")
    version = call.organization.configurations.get(organization_id, {}).get("version", 0)
    if int(digits) != version:
        message = "the configuration has another version"
        raise conflict("configuration.version.conflict", message, version=version)


def _change(call: Call, changes: Mapping[str, Any]) -> None:
    organization_id = call.path["orgId"]
    document = copy.deepcopy(call.organization.configurations.get(organization_id, {}))
    overlay(document, changes)
    commit(call, organization_id, document, at=call.now, action=UPDATED, client=ANOTHER_WRITER)
    call.effect("foreign.write", organization_id)


ROUTES = (
    Route(
        method="GET",
        path="/api/v2/webchat/organizations/{orgId}/configurations",
        scope="webchat:configuration:read",
        handle=read_configuration,
        foreign=_change,
        writes="configurations",
    ),
    Route(
        method="PUT",
        path="/api/v2/webchat/organizations/{orgId}/configurations",
        scope="webchat:configuration:write",
        handle=put_configuration,
        foreign=_change,
        writes="configurations",
    ),
)
