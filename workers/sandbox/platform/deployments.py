"""Web deployments: which version of which configuration guests see.

A document is the deployment with two fields beyond the vendor's: `activeConfiguration`, what
guests see by now, and `identityResolution`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal, Required

# Before Python 3.12 pydantic cannot read that of `typing`.
from typing_extensions import TypedDict

from workers.sandbox.call import Answer, Call, Route, overlay
from workers.sandbox.errors import bad_request
from workers.sandbox.losses import dropped
from workers.sandbox.platform import audit_log
from workers.sandbox.platform.configurations import ANOTHER_WRITER, DRAFT, find_version
from workers.sandbox.platform.entity_pages import CURSORS, listing
from workers.sandbox.platform.errors import not_found
from workers.sandbox.platform.shapes import Own, Shape
from workers.sandbox.platform.users import user
from workers.sandbox.wire import iso, later
from workers.sandbox.world import Document, new_id

PATH = "/api/v2/webdeployments/deployments"
VIEW = ("webDeployments:deployment:view",)
EDIT = ("webDeployments:deployment:edit",)
ADD = ("webDeployments:deployment:add",)
IDENTITY_VIEW = ("webDeployments:identityResolution:view",)
IDENTITY_EDIT = ("webDeployments:identityResolution:edit",)
EXPANSIONS = frozenset({"Configuration", "SupportedContent", "identityresolution"})
EXPAND = frozenset({"expand"})
_HIDDEN = ("activeConfiguration", "identityResolution")


class _Reference(TypedDict, total=False):
    id: Required[str]
    name: str
    selfUri: str


class _ConfigurationReference(_Reference, total=False):
    version: Required[str]


class _Flow(_Reference, total=False):
    flowDescription: str
    publishVersion: dict[str, Any]


class _SupportedContent(_Reference, total=False):
    mediaTypes: Any


class _PushIntegration(TypedDict, total=False):
    id: str
    provider: Literal["APNS", "FCM"]


class _Deployment(TypedDict, total=False):
    id: Own
    name: Required[str]
    description: str
    allowAllDomains: bool
    allowedDomains: list[str]
    supportedContent: _SupportedContent
    snippet: Own
    dateCreated: Own
    dateModified: Own
    lastModifiedUser: Own
    flow: _Flow
    status: Literal["Pending", "Active", "Inactive", "Error", "Deleting"]
    pushIntegrations: list[_PushIntegration]
    configuration: Required[_ConfigurationReference]
    selfUri: Own


class _Automerge(TypedDict, total=False):
    authenticatedWebMessaging: bool
    webTracking: bool


class _IdentityResolution(TypedDict, total=False):
    division: _Reference
    resolveIdentities: Required[bool]
    externalSource: _Reference
    automerge: _Automerge
    selfUri: Own


_SHAPE = Shape(_Deployment)
_IDENTITY_SHAPE = Shape(_IdentityResolution)


def list_deployments(call: Call) -> Answer:
    """`GET /deployments`, by cursor; `expand=Configuration` shows whole versions."""
    held = call.organization.web_deployments
    expanded = "Configuration" in call.choices("expand", EXPANSIONS)
    page = listing(call, {each: _shown(held[each]) for each in held})
    for each in page["entities"] if expanded else ():
        chosen = each["configuration"]
        each["configuration"] = find_version(call, chosen["id"], chosen["version"]) or chosen
    return Answer(body=page)


def create_deployment(call: Call) -> Answer:
    """`POST /deployments`: under an id that is not found at once, `Pending` for a while."""
    sent = _sent(call)
    deployment_id, held = new_id(call.world.rng), call.organization.web_deployments
    made = _deployment(call, deployment_id, sent, iso(call.now))
    made["dateCreated"] = iso(call.now)

    def appear(_: float) -> None:
        held[deployment_id] = made

    call.world.timeline.schedule(call.now + call.options.consistency_seconds, appear)
    call.effect("webdeployment.created", deployment_id)
    audit_log.record(call, "Create", audit_log.DEPLOYMENT, made)
    return Answer(status=201, body=_shown(made))


def read_deployment(call: Call) -> Answer:
    """`GET /deployments/{id}`."""
    call.choices("expand", EXPANSIONS)
    return Answer(body=_shown(_known(call)))


def put_deployment(call: Call) -> Answer:
    """`PUT /deployments/{id}`: replaces it; what guests see follows when it is `Active`.

    What the sent one leaves out is gone: the effect's `dropped` names the paths.
    """
    old = _known(call)
    sent = _sent(call)
    new = _deployment(call, old["id"], sent, later(old["dateModified"], call.now))
    new |= {name: old[name] for name in ("dateCreated", *_HIDDEN) if name in old}
    call.organization.web_deployments[old["id"]] = new
    before, after = old["configuration"], new["configuration"]
    call.effect(
        "deployment.put",
        old["id"],
        configuration=after["id"],
        version=after["version"],
        previous={name: before[name] for name in ("id", "version")},
        dropped=sorted(dropped(old, new)),
    )
    changes = [
        audit_log.changed(f"configuration.{name}", before[name], after[name])
        for name in ("id", "version")
        if before[name] != after[name]
    ]
    audit_log.record(call, "Update", audit_log.DEPLOYMENT, new, changes=changes)
    return Answer(body=_shown(new))


def read_active(call: Call) -> Answer:
    """`GET /deployments/{id}/configurations`: what guests see by now. Needs no permission."""
    call.choices("expand", frozenset({"supportedContent"}))
    deployment = _known(call)
    active = deployment.get("activeConfiguration", {})
    version = find_version(call, active.get("id", ""), active.get("version", ""))
    if version is None:
        raise not_found("active configuration of deployment", deployment["id"])
    return Answer(body={"configurationVersion": version, "deployment": _shown(deployment)})


def read_identity_resolution(call: Call) -> Answer:
    """`GET /deployments/{id}/identityresolution`."""
    return Answer(body=_identity_resolution(_known(call)))


def put_identity_resolution(call: Call) -> Answer:
    """`PUT /deployments/{id}/identityresolution`."""
    deployment = _known(call)
    deployment["identityResolution"] = _IDENTITY_SHAPE.read(call)
    call.effect("identityresolution.put", deployment["id"])
    return Answer(body=_identity_resolution(deployment))


def _known(call: Call) -> Document:
    deployment_id = call.path["deploymentId"]
    try:
        return call.organization.web_deployments[deployment_id]
    except KeyError:
        raise not_found("deployment", deployment_id) from None


def _shown(deployment: Document) -> Document:
    return {name: value for name, value in deployment.items() if name not in _HIDDEN}


def _identity_resolution(deployment: Document) -> Document:
    default = {"resolveIdentities": False}
    uri = f"{PATH}/{deployment['id']}/identityresolution"
    return {**deployment.get("identityResolution", default), "selfUri": uri}


def _sent(call: Call) -> Document:
    sent = {name: value for name, value in _SHAPE.read(call).items() if name != "status"}
    if sent.get("allowAllDomains") and sent.get("allowedDomains"):
        message = "allowedDomains: must be empty when allowAllDomains is true"
        raise bad_request(message, "constraint.validation")
    return {**sent, "configuration": _release(call, sent["configuration"])}


def _release(call: Call, asked: Document) -> Document:
    """A reference to a published version. Raises Refused (400) where there is none (yet)."""
    found = find_version(call, asked["id"], asked["version"])
    if found is None or found["version"] == DRAFT:
        message = f"configuration {asked['id']} has no published version {asked['version']}"
        raise bad_request(message, "constraint.validation")
    return {name: found[name] for name in ("id", "name", "version", "selfUri")}


def _deployment(call: Call, deployment_id: str, sent: Document, modified: str) -> Document:
    made: Document = {
        **sent,
        "id": deployment_id,
        "snippet": f'<script data-deployment-id="{deployment_id}"></script>',
        "dateModified": modified,
        "lastModifiedUser": user(call.client),
        "selfUri": f"{PATH}/{deployment_id}",
    }
    _activate_later(call, made)
    return made


def _activate_later(call: Call, deployment: Document) -> None:
    deployment["status"] = "Pending"

    def activate(_: float) -> None:
        # A deployment that another PUT has replaced meanwhile is nobody's any more.
        deployment["status"] = "Active"
        chosen = deployment["configuration"]
        deployment["activeConfiguration"] = {k: chosen[k] for k in ("id", "version")}

    call.world.timeline.schedule(call.now + call.options.deployment_active_seconds, activate)


def _change(call: Call, changes: Mapping[str, Any]) -> None:
    old = _known(call)
    new = copy.deepcopy(old)
    overlay(new, changes)
    new["dateModified"] = later(old["dateModified"], call.now)
    new["lastModifiedUser"] = user(ANOTHER_WRITER)
    call.organization.web_deployments[old["id"]] = new
    _activate_later(call, new)
    call.effect("foreign.write", old["id"])
    audit_log.record(call, "Update", audit_log.DEPLOYMENT, new, client=ANOTHER_WRITER)


_ONE = f"{PATH}/{{deploymentId}}"
_FOREIGN: dict[str, Any] = {"foreign": _change, "writes": "webDeployments"}
ROUTES = (
    Route(
        method="GET",
        path=PATH,
        handle=list_deployments,
        all_of=VIEW,
        query=CURSORS | EXPAND,
        repeatable=EXPAND,
    ),
    Route(method="POST", path=PATH, handle=create_deployment, all_of=ADD),
    Route(
        method="GET",
        path=_ONE,
        handle=read_deployment,
        all_of=VIEW,
        query=EXPAND,
        repeatable=EXPAND,
        **_FOREIGN,
    ),
    Route(method="PUT", path=_ONE, handle=put_deployment, all_of=EDIT, **_FOREIGN),
    Route(
        method="GET",
        path=f"{_ONE}/configurations",
        handle=read_active,
        query=EXPAND | {"type"},
        repeatable=EXPAND,
    ),
    Route(
        method="GET",
        path=f"{_ONE}/identityresolution",
        handle=read_identity_resolution,
        all_of=VIEW + IDENTITY_VIEW,
    ),
    Route(
        method="PUT",
        path=f"{_ONE}/identityresolution",
        handle=put_identity_resolution,
        all_of=EDIT + IDENTITY_EDIT,
    ),
)
