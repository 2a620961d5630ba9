"""Web messaging configurations: a draft that all administrators share, and published versions.

A document is `{id, draft, versions}`. What has just been written is not settled: a draft is
`Pending` for a while, and a version or a configuration cannot be found at once.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from workers.sandbox.call import Answer, Call, Route, overlay
from workers.sandbox.errors import Refused, bad_request
from workers.sandbox.losses import dropped
from workers.sandbox.platform import audit_log
from workers.sandbox.platform.configuration_shape import Configuration
from workers.sandbox.platform.entity_pages import CURSORS, listing
from workers.sandbox.platform.errors import not_found
from workers.sandbox.platform.queries import flag
from workers.sandbox.platform.shapes import Shape
from workers.sandbox.platform.users import user
from workers.sandbox.wire import digest, iso, later
from workers.sandbox.world import Document, new_id

PATH = "/api/v2/webdeployments/configurations"
#: The version of a draft.
DRAFT = "DRAFT"
ANOTHER_WRITER = "another-writer"
VIEW = ("webDeployments:configuration:view",)
EDIT = ("webDeployments:configuration:edit",)
ADD = ("webDeployments:configuration:add",)
DELETE = ("webDeployments:configuration:delete",)
_SHAPE = Shape(Configuration)


def list_configurations(call: Call) -> Answer:
    """`GET /configurations`: the drafts, or the newest version of each that was published."""
    held = call.organization.web_configurations
    shown = {each: held[each]["draft"] for each in held}
    if flag(call, "showOnlyPublished"):
        published = {each: settled_versions(held[each]) for each in held}
        shown = {each: versions[-1] for each, versions in published.items() if versions}
    return Answer(body=listing(call, shown))


def create_configuration(call: Call) -> Answer:
    """`POST /configurations`: a draft, under an id that is not found at once."""
    sent = _sent(call)
    configuration_id, me = new_id(call.world.rng), user(call.client)
    created = {"createdUser": me, "dateCreated": iso(call.now)}
    draft = _draft(call, configuration_id, {**sent, **created}, me, iso(call.now))
    held = call.organization.web_configurations
    made = {"id": configuration_id, "draft": draft, "versions": []}

    def appear(_: float) -> None:
        held[configuration_id] = made

    call.world.timeline.schedule(call.now + call.options.consistency_seconds, appear)
    call.effect("webconfiguration.created", configuration_id)
    audit_log.record(call, "Create", audit_log.CONFIGURATION, draft)
    return Answer(status=201, body=draft)


def delete_configuration(call: Call) -> Answer:
    """`DELETE /configurations/{id}`: all of its versions; 409 while a deployment has one."""
    configuration = known(call)
    for deployment in call.organization.web_deployments.values():
        if deployment["configuration"]["id"] == configuration["id"]:
            message = "a deployment uses this configuration"
            raise Refused(409, "resource.conflict", message, entityId=deployment["id"])
    del call.organization.web_configurations[configuration["id"]]
    call.effect("webconfiguration.deleted", configuration["id"])
    audit_log.record(call, "Delete", audit_log.CONFIGURATION, configuration["draft"])
    return Answer(status=204)


def list_versions(call: Call) -> Answer:
    """`GET …/versions`: the draft and the versions, the newest first."""
    configuration = known(call)
    shown = [configuration["draft"], *reversed(settled_versions(configuration))]
    return Answer(body=listing(call, {each["version"]: each for each in shown}))


def read_draft(call: Call) -> Answer:
    """`GET …/versions/draft`."""
    return Answer(body=known(call)["draft"])


def put_draft(call: Call) -> Answer:
    """`PUT …/versions/draft`: replaces it, and it is `Pending` for a while.

    What the sent one leaves out is gone: the effect's `dropped` names the paths, and `sha256`
    has the digest of each field that was sent. 400 while the draft before is not settled.
    """
    configuration = known(call)
    sent = _sent(call)
    old = configuration["draft"]
    _check_settled(old)
    kept = {name: old[name] for name in ("createdUser", "dateCreated") if name in old}
    modified = later(old["dateModified"], call.now)
    draft = _draft(call, configuration["id"], {**sent, **kept}, user(call.client), modified)
    configuration["draft"] = draft
    call.effect(
        "draft.put",
        configuration["id"],
        dropped=sorted(dropped(old, draft)),
        sha256={name: digest(value) for name, value in sent.items()},
    )
    audit_log.record(call, "Update", audit_log.CONFIGURATION, draft)
    return Answer(body=draft)


def publish_draft(call: Call) -> Answer:
    """`POST …/versions/draft/publish`: the draft becomes the next version, `1`, `2`, …

    400 while the draft is `Pending`; the version is found a little later.
    """
    configuration = known(call)
    _check_settled(configuration["draft"])
    number = str(max((int(each["version"]) for each in configuration["versions"]), default=0) + 1)
    version: Document = {
        **configuration["draft"],
        "version": number,
        "selfUri": _uri(configuration["id"], number),
        "datePublished": iso(call.now),
        "publishedUser": user(call.client),
    }
    _settle_later(call, version, call.options.consistency_seconds)
    configuration["versions"].append(version)
    call.effect("draft.published", configuration["id"], version=number)
    audit_log.record(call, "Publish", audit_log.CONFIGURATION, version)
    return Answer(body=version)


def read_version(call: Call) -> Answer:
    """`GET …/versions/{versionId}`."""
    version = find_version(call, call.path["configurationId"], call.path["versionId"])
    if version is None:
        raise not_found("configuration version", call.path["versionId"])
    return Answer(body=version)


def known(call: Call) -> Document:
    """The configuration that the path names. Raises Refused (404)."""
    configuration_id = call.path["configurationId"]
    try:
        return call.organization.web_configurations[configuration_id]
    except KeyError:
        raise not_found("configuration", configuration_id) from None


def find_version(call: Call, configuration_id: str, version: str) -> Document | None:
    """That version, or the draft, of a configuration; None where there is none (yet)."""
    configuration = call.organization.web_configurations.get(configuration_id)
    if configuration is None:
        return None
    shown = [configuration["draft"], *settled_versions(configuration)]
    return next((each for each in shown if each["version"] == version), None)


def settled_versions(configuration: Document) -> list[Document]:
    """The published versions that can be found already, oldest first."""
    return [each for each in configuration["versions"] if each["status"] == "Active"]


def _sent(call: Call) -> Document:
    sent = {name: value for name, value in _SHAPE.read(call).items() if name != "status"}
    if sent.get("messenger", {}).get("enabled"):
        for name in ("languages", "defaultLanguage"):
            if not sent.get(name):
                message = f"{name}: is required if the messenger is enabled"
                raise bad_request(message, "constraint.validation")
    return sent


def _draft(
    call: Call, configuration_id: str, fields: Document, writer: Document, modified: str
) -> Document:
    draft: Document = {
        **fields,
        "id": configuration_id,
        "version": DRAFT,
        "dateModified": modified,
        "lastModifiedUser": writer,
        "selfUri": _uri(configuration_id, "draft"),
    }
    _settle_later(call, draft, call.options.draft_active_seconds)
    return draft


def _settle_later(call: Call, document: Document, seconds: float) -> None:
    document["status"] = "Pending"

    def settle(_: float) -> None:
        document["status"] = "Active"

    call.world.timeline.schedule(call.now + seconds, settle)


def _check_settled(draft: Document) -> None:
    if draft["status"] != "Active":
        raise bad_request("Unable to perform the requested operation", "illegal.operation")


def _uri(configuration_id: str, version: str) -> str:
    return f"{PATH}/{configuration_id}/versions/{version}"


def _change(call: Call, changes: Mapping[str, Any]) -> None:
    configuration = known(call)
    draft = copy.deepcopy(configuration["draft"])
    overlay(draft, changes)
    draft["dateModified"] = later(draft["dateModified"], call.now)
    draft["lastModifiedUser"] = user(ANOTHER_WRITER)
    _settle_later(call, draft, call.options.draft_active_seconds)
    configuration["draft"] = draft
    call.effect("foreign.write", configuration["id"])
    audit_log.record(call, "Update", audit_log.CONFIGURATION, draft, client=ANOTHER_WRITER)


_ONE = f"{PATH}/{{configurationId}}"
_DRAFT = f"{_ONE}/versions/draft"
_FOREIGN: dict[str, Any] = {"foreign": _change, "writes": "webConfigurations"}
ROUTES = (
    Route(
        method="GET",
        path=PATH,
        handle=list_configurations,
        all_of=VIEW,
        query=CURSORS | {"showOnlyPublished"},
    ),
    Route(method="POST", path=PATH, handle=create_configuration, all_of=ADD),
    Route(method="DELETE", path=_ONE, handle=delete_configuration, all_of=DELETE),
    Route(method="GET", path=f"{_ONE}/versions", handle=list_versions, all_of=VIEW, query=CURSORS),
    Route(method="GET", path=_DRAFT, handle=read_draft, all_of=VIEW, **_FOREIGN),
    Route(method="PUT", path=_DRAFT, handle=put_draft, all_of=EDIT, **_FOREIGN),
    Route(
        method="POST",
        path=f"{_DRAFT}/publish",
        handle=publish_draft,
        all_of=EDIT + ADD,
        **_FOREIGN,
    ),
    Route(method="GET", path=f"{_ONE}/versions/{{versionId}}", handle=read_version, all_of=VIEW),
)
