"""Contact profiles: reading, changing and making them, until nobody uses them any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.sandbox.call import Answer, Body, Call, Route, overlay
from workers.sandbox.cognigy.errors import invalid
from workers.sandbox.cognigy.expiry import expire, use
from workers.sandbox.cognigy.identifiers import new_id
from workers.sandbox.cognigy.schema import read_fields
from workers.sandbox.errors import bad_request, conflict
from workers.sandbox.wire import digest
from workers.sandbox.world import Document

PATH = "/new/v2.0/profiles"
#: Fields of a profile that say what the person has agreed to.
CONSENT = ("accepted_gdpr", "prevent_data_collection")


class ProfileChanges(Body):
    """Body of `PATCH /new/v2.0/profiles/{profileId}`."""

    profile: dict[str, Any] = {}
    active: bool | None = None
    contact_ids: list[str] | None = None


class NewProfile(Body):
    """Body of `POST /new/v2.0/profiles`."""

    profile: dict[str, Any]
    active: bool = True
    contact_ids: list[str]
    project_id: str


def read_profile(call: Call) -> Answer:
    """`GET …/profiles/{profileId}` → `{_id, profile, active, contactIds, createdAt, …}`."""
    return Answer(body=_shown(use(call)))


def patch_profile(call: Call) -> Answer:
    """`PATCH …/profiles/{profileId}` `{profile?, active?, contactIds?}` → 204.

    The fields are laid over the others. What the person has agreed to is not the API's concern:
    the effect tells it, for a test to see whether the client has asked.
    """
    asked = call.body(ProfileChanges)
    if not asked.model_fields_set:
        raise bad_request("Validation failed. Missing payload.")
    held = use(call)
    fields = _fields(call, asked.profile, held["projectId"])
    if asked.contact_ids is not None:
        _check_contact_ids(call, asked.contact_ids, held["projectId"], held)
        held["contactIds"] = asked.contact_ids
    if asked.active is not None:
        held["active"] = asked.active
    old = held["profile"]
    _tell(call, "cognigy.profile_patched", held, fields)
    held["profile"] = {k: v for k, v in {**old, **fields}.items() if v is not None}
    held |= {"lastChanged": int(call.now), "lastChangedBy": call.client}
    return Answer(status=204)


def create_profile(call: Call) -> Answer:
    """`POST …/profiles` `{profile, active, contactIds, projectId}` → 201 with the profile.

    Raises Refused: 400 for an unknown project, 409 where a profile has one of the contact ids.
    """
    asked = call.body(NewProfile)
    fields = _fields(call, asked.profile, asked.project_id)
    _check_contact_ids(call, asked.contact_ids, asked.project_id)
    now = int(call.now)
    made: Document = {
        "_id": new_id(call.world.rng),
        "profile": {},
        "active": asked.active,
        "contactIds": asked.contact_ids,
        "projectId": asked.project_id,
        "createdAt": now,
        "lastChanged": now,
        "createdBy": call.client,
        "lastChangedBy": call.client,
    }
    _tell(call, "cognigy.profile_created", made, fields)
    made["profile"] = {name: value for name, value in fields.items() if value is not None}
    call.organization.cognigy_profiles[made["_id"]] = made
    call.organization.cognigy_used[made["_id"]] = call.now
    return Answer(status=201, body=_shown(made))


def _fields(call: Call, sent: Mapping[str, Any], project_id: str) -> Document:
    schema = call.organization.cognigy_schemas.get(project_id)
    if schema is None:
        raise invalid("projectId", "there is no such project")
    return read_fields(sent, schema["fields"], call.options)


def _check_contact_ids(
    call: Call, contact_ids: list[str], project_id: str, but: Document | None = None
) -> None:
    expire(call)
    for each in call.organization.cognigy_profiles.values():
        taken = set(contact_ids) & set(each["contactIds"])
        if taken and each is not but and each["projectId"] == project_id:
            raise conflict("contact.id.taken", f"profile {each['_id']} has one of the contact ids")


def _tell(call: Call, kind: str, held: Document, fields: Mapping[str, Any]) -> None:
    old = held["profile"]
    call.effect(
        kind,
        held["_id"],
        names=sorted(fields),
        changed=sorted(name for name in fields if old.get(name) != fields[name]),
        consent={name: old.get(name) for name in CONSENT},
        sha256={name: digest(value) for name, value in fields.items()},
    )


def _shown(held: Document) -> Document:
    return {name: value for name, value in held.items() if name != "projectId"}


def _change(call: Call, changes: Mapping[str, Any]) -> None:
    held = use(call)
    overlay(held, changes)
    call.effect("foreign.write", held["_id"])


_ONE = f"{PATH}/{{profileId}}"
ROUTES = (
    Route(method="GET", path=_ONE, handle=read_profile, foreign=_change, writes="cognigyProfiles"),
    Route(
        method="PATCH", path=_ONE, handle=patch_profile, foreign=_change, writes="cognigyProfiles"
    ),
    Route(method="POST", path=PATH, handle=create_profile),
)
