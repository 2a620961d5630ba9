"""Guest profiles, their consents and their merge, by the `guide` contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tasks.apis.bodies import Body, parse, read_as
from tasks.apis.calls import Call
from tasks.apis.genesys import Consent, Profile
from tasks.apis.http import Http


class _Link(Body):
    profile_id: str


class _Profile(Body):
    profile_id: str
    custom_attributes: dict[str, Any] = {}
    links: list[_Link] = []


class _Consent(Body):
    purpose: str
    status: str = "unknown"


class _Consents(Body):
    consents: list[_Consent] = []


class _Merged(Body):
    profile_id: str


@dataclass(frozen=True, kw_only=True)
class GuideProfiles:
    """Implements the `Profiles` seam."""

    http: Http

    def read_profile(self, profile_id: str) -> Profile:
        call = Call(
            method="GET",
            route="/api/v2/identity/profiles/{profile_id}",
            ids={"profile_id": profile_id},
            needs="identity:profile:read",
        )
        body = read_as(_Profile, self.http, call)
        return Profile(
            id=body.profile_id,
            attributes=body.custom_attributes,
            links=frozenset(link.profile_id for link in body.links),
        )

    def read_consents(self, profile_id: str) -> Sequence[Consent]:
        """Return the consents on record; a 404 means that there are none."""
        call = Call(
            method="GET",
            route="/api/v2/profiles/{profile_id}/consent",
            ids={"profile_id": profile_id},
            needs="consent:read",
            allowed=frozenset({404}),
        )
        answer = self.http.call(call)
        if answer.status == 404:
            return ()
        consents = parse(_Consents, self.http, call, answer).consents
        return tuple(Consent(purpose=c.purpose, status=c.status) for c in consents)

    def merge(self, target_id: str, source_ids: Sequence[str], policy: str) -> str:
        call = Call(
            method="POST",
            route="/api/v2/identity/profiles/merge",
            body={
                "sourceProfileIds": list(source_ids),
                "targetProfileId": target_id,
                "mergePolicy": policy,
            },
            needs="identity:profile:write",
            kind="merge",
            effect=True,
        )
        return read_as(_Merged, self.http, call).profile_id
