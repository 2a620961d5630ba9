"""Guest profiles: reading, consents and the merge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workers.sandbox.call import Answer, Body, Call, Route, overlay
from workers.sandbox.errors import bad_request, conflict, not_found, unprocessable
from workers.sandbox.notifications.contact_events import profiles_merged
from workers.sandbox.wire import iso
from workers.sandbox.world import Document, Documents, find

MOST_SOURCES = 10
MOST_ATTRIBUTES = 50
POLICIES = ("target_wins", "source_wins", "custom")


class MergeRequest(Body):
    """Body of `POST /identity/profiles/merge`."""

    source_profile_ids: list[str]
    target_profile_id: str
    merge_policy: str


def read_profile(call: Call) -> Answer:
    """`GET /identity/profiles/{id}`; a merged source stays readable."""
    return Answer(body=find(call.organization.profiles, "profile", call.path["id"]))


def read_consent(call: Call) -> Answer:
    """`GET /profiles/{id}/consent`: 404 where there are no records."""
    profile_id = call.path["id"]
    find(call.organization.profiles, "profile", profile_id)
    if profile_id not in call.organization.consents:
        raise not_found("consent of profile", profile_id)
    return Answer(body={"consents": call.organization.consents[profile_id]["consents"]})


def merge(call: Call) -> Answer:
    """`POST /identity/profiles/merge`: the target gains the sources' links and attributes."""
    asked = call.body(MergeRequest)
    _check_request(asked)
    profiles = call.organization.profiles
    target = find(profiles, "profile", asked.target_profile_id)
    sources = [find(profiles, "profile", source) for source in asked.source_profile_ids]
    _check_links(profiles, target, sources)
    attributes = merged_attributes(target, sources, asked.merge_policy)
    target["customAttributes"] = attributes
    target["links"] = [*target["links"], *({"profileId": s["profileId"]} for s in sources)]
    target["modifiedDate"] = iso(call.now)
    call.effect(
        "profiles.merged",
        asked.target_profile_id,
        target=asked.target_profile_id,
        sources=asked.source_profile_ids,
        policy=asked.merge_policy,
    )
    call.notify(profiles_merged(profiles, target, asked.source_profile_ids, call.now))
    return Answer(body={"profileId": asked.target_profile_id})


def _check_request(asked: MergeRequest) -> None:
    sources = asked.source_profile_ids
    if not 1 <= len(sources) <= MOST_SOURCES:
        raise bad_request(f"sourceProfileIds: must name from 1 to {MOST_SOURCES} profiles")
    if len(set(sources)) != len(sources):
        raise bad_request("sourceProfileIds: must not name a profile twice")
    if asked.target_profile_id in sources:
        raise unprocessable("profile.merge.self", "targetProfileId: must not be a source too")
    if asked.merge_policy not in POLICIES:
        message = f"mergePolicy: must be one of {', '.join(POLICIES)}"
        raise unprocessable("merge.policy.invalid", message)


def _check_links(profiles: Documents, target: Document, sources: list[Document]) -> None:
    owners = {
        link["profileId"]: profile_id
        for profile_id, profile in profiles.items()
        for link in profile["links"]
    }
    for source in sources:
        source_id = source["profileId"]
        if target["profileId"] in _reachable(profiles, source_id):
            message = f"profile {source_id} already links to the target"
            raise conflict("profile.link.circular", message, details=[{"profileId": source_id}])
        if source_id in owners:
            detail = {"profileId": source_id, "linkedTo": owners[source_id]}
            message = f"profile {source_id} is already linked"
            raise conflict("profile.already.linked", message, details=[detail])


def _reachable(profiles: Documents, start: str) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        new = set(_links(profiles.get(waiting.pop()))) - reached
        reached |= new
        waiting.extend(new)
    return reached


def _links(profile: Document | None) -> Iterator[str]:
    return (link["profileId"] for link in (profile or {}).get("links", ()))


def merged_attributes(target: Document, sources: list[Document], policy: str) -> dict[str, Any]:
    """The custom attributes of the merged profile. Raises Refused (422) for more than 50."""
    merged: dict[str, Any] = {}
    for source in sources:
        merged = {**source["customAttributes"], **merged}
    own = target["customAttributes"]
    if policy == "custom":
        # The vendor defines it; here an empty value of the target gives way.
        own = {name: value for name, value in own.items() if value or name not in merged}
    merged = {**own, **merged} if policy == "source_wins" else {**merged, **own}
    if len(merged) > MOST_ATTRIBUTES:
        message = f"{len(merged)} custom attributes, at most {MOST_ATTRIBUTES} are allowed"
        raise unprocessable("attribute.limit.exceeded", message)
    return merged


def _change(call: Call, changes: Mapping[str, Any]) -> None:
    profile_id = call.path.get("id") or call.body(MergeRequest).target_profile_id
    overlay(call.organization.profiles[profile_id], changes)
    call.effect("foreign.write", profile_id)


ROUTES = (
    Route(
        method="GET",
        path="/api/v2/identity/profiles/{id}",
        scope="identity:profile:read",
        handle=read_profile,
        foreign=_change,
        writes="profiles",
    ),
    Route(
        method="POST",
        path="/api/v2/identity/profiles/merge",
        scope="identity:profile:write",
        handle=merge,
        foreign=_change,
        writes="profiles",
    ),
    Route(
        method="GET",
        path="/api/v2/profiles/{id}/consent",
        scope="consent:read",
        handle=read_consent,
    ),
)
