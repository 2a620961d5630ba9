"""Contact profiles: reading one, changing its fields, making one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from tasks.apis import answers
from tasks.apis.bodies import Body, parse, read_as
from tasks.apis.calls import Call
from tasks.apis.cognigy.settings import ID_PATTERN
from tasks.apis.http import Http
from tasks.compact_json import compact_json
from tasks.errors import Rejected, StateChanged

PROFILES = "/new/v2.0/profiles"
PROFILE = f"{PROFILES}/{{profile_id}}"
NEEDS = "a valid key with the right to profiles"

#: Bytes: the vendor's 60 kB, read the stricter way.
LONGEST_PAYLOAD = 60_000

#: Answers that refuse a body for what stands in it.
REFUSALS = frozenset({400, 422})


class _Profile(Body):
    """`{_id, profile{…}, contactIds, …}`."""

    id: Annotated[str, Field(alias="_id", pattern=ID_PATTERN)]
    profile: dict[str, Any] = {}


def read_profile(http: Http, profile_id: str) -> Mapping[str, object]:
    """Return the fields of a profile. Raises `NotFound` for an unknown or expired one."""
    call = Call(method="GET", route=PROFILE, ids={"profile_id": profile_id}, needs=NEEDS)
    return read_as(_Profile, http, call).profile


def patch_profile(http: Http, profile_id: str, fields: Mapping[str, object]) -> None:
    """Lay `fields` over those of the profile. Raises `Unprocessable` naming the refused ones."""
    call = Call(
        method="PATCH",
        route=PROFILE,
        ids={"profile_id": profile_id},
        body=_limited({"profile": fields}),
        needs=NEEDS,
        kind="write",
        effect=True,
        allowed=REFUSALS,
    )
    answer = http.call(call)
    if answer.status in REFUSALS:
        raise answers.refused(http.endpoint.system, call, answer, fields)


def create_profile(
    http: Http, project_id: str, contact_id: str, fields: Mapping[str, object]
) -> str:
    """Make a profile for a contact and return its id.

    Raises `Unprocessable` naming the refused fields, and `StateChanged` where another profile of
    the project is the contact's.
    """
    body = {
        "profile": fields,
        "active": True,
        "contactIds": [contact_id],
        "projectId": project_id,
    }
    call = Call(
        method="POST",
        route=PROFILES,
        body=_limited(body),
        needs=NEEDS,
        kind="write",
        effect=True,
        allowed=REFUSALS,
    )
    try:
        answer = http.call(call)
    except StateChanged as error:
        error.note = "another profile of the project has this contact id"
        raise
    if answer.status in REFUSALS:
        raise answers.refused(http.endpoint.system, call, answer, fields)
    return parse(_Profile, http, call, answer).id


def _limited(body: Mapping[str, object]) -> Mapping[str, object]:
    if len(compact_json(body)) > LONGEST_PAYLOAD:
        raise Rejected(f"attributes: together must not be longer than {LONGEST_PAYLOAD:,} bytes")
    return body
