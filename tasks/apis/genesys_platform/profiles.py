"""Profiles by the `platform` contract: external contacts, and their merge into new records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tasks import errors
from tasks.apis import answers
from tasks.apis.bodies import Body, parse, read_as
from tasks.apis.calls import Call
from tasks.apis.genesys import Consent, Profile
from tasks.apis.genesys_platform.external_contact import (
    CONTACT,
    VIEW,
    ExternalContact,
    custom_fields,
)
from tasks.apis.http import Http

#: Seconds that a merge whose answer was lost gets to become visible.
SETTLING = 2.0

#: Codes of a merge that can never work, and the rule that it breaks.
FINAL = {
    "mergeset.max.size": "a merge set holds at most 52 contacts",
    "too.many.identifiers": "one of the contacts has too many identifiers",
    "merge.across.divisions.disallowed": "contacts of different divisions cannot be merged",
}


class _Result(Body):
    id: str = ""
    entity: ExternalContact | None = None


class _Results(Body):
    results: list[_Result]


@dataclass(frozen=True, kw_only=True)
class PlatformProfiles:
    """Implements the `Profiles` seam on external contacts.

    A merge makes a new record, to which all older ids resolve from then on.
    """

    http: Http

    def read_profile(self, profile_id: str) -> Profile:
        """Return the canonical record of the contact's merge set.

        Its links are left empty: that two contacts are one shows by their common id.
        """
        found = self._read_record(f"{CONTACT}/unresolved", profile_id)
        if found.canonical_id != profile_id:
            found = self._read_canonical(found.canonical_id)
        return Profile(
            id=found.id,
            attributes={**found.attributes(), **found.identities()},
            links=frozenset(),
        )

    def read_consents(self, profile_id: str) -> Sequence[Consent]:  # noqa: ARG002  # of nobody
        """Return nothing: the API has no consents, only an opt-out of surveys."""
        return ()

    def merge(self, target_id: str, source_ids: Sequence[str], policy: str) -> str:
        """Merge the canonical records of all ids, and return the new record's id.

        Under `target_wins` the target's fields are written over those that the API chooses, under
        `source_wins` the sources', the first one's above all. What is one with the target by now is
        left out; where that is everything, no call is made. Raises `Rejected` for what the API
        never merges, and `StateChanged` where a contact cannot be found any more.
        """
        found = self._resolve([target_id, *source_ids])
        target, sources = _apart(found[target_id], [found[each] for each in source_ids])
        if not sources:
            return target.id
        call = Call(
            method="POST",
            route="/api/v2/externalcontacts/contacts/merge",
            body={
                "contactIds": [target.id, *(each.id for each in sources)],
                "valueOverride": _override(target, sources, policy),
            },
            needs="externalContacts:identity:merge",
            kind="merge",
            effect=True,
        )
        try:
            return read_as(ExternalContact, self.http, call).id
        except errors.Unreachable:
            raise
        except errors.OutcomeUnknown as error:
            error.settling = SETTLING
            raise
        except errors.ApiError as error:
            raise _explained(error) from None

    def _read_record(self, route: str, contact_id: str) -> ExternalContact:
        call = Call(method="GET", route=route, ids={"contact_id": contact_id}, needs=VIEW)
        return read_as(ExternalContact, self.http, call)

    def _read_canonical(self, contact_id: str) -> ExternalContact:
        """Return a record that another one names; where it is not there, it is not there yet."""
        try:
            return self._read_record(CONTACT, contact_id)
        except errors.NotFound as error:
            call = Call(method="GET", route=CONTACT, needs=VIEW)
            unknown = answers.unknown(self.http.endpoint.system, call, error.status)
            unknown.note = "a merged contact names it, it is not there yet"
            raise unknown from None

    def _resolve(self, contact_ids: Sequence[str]) -> dict[str, ExternalContact]:
        """Return the canonical record of each id, all read at one moment."""
        call = Call(
            method="POST",
            route="/api/v2/externalcontacts/bulk/contacts",
            body={"entities": [{"id": each} for each in contact_ids]},
            needs=VIEW,
        )
        body = parse(_Results, self.http, call, self.http.call(call))
        found: dict[str, ExternalContact] = {}
        for each in body.results:
            if each.entity:
                known = {each.id} | each.entity.merged_ids
                found |= dict.fromkeys(known.intersection(contact_ids), each.entity)
        if len(found) < len(set(contact_ids)):
            changed = errors.StateChanged(
                system=self.http.endpoint.system, method=call.method, route=call.route, status=200
            )
            changed.note = "a contact is not there any more"
            raise changed
        return found


def _apart(
    target: ExternalContact, others: Iterable[ExternalContact]
) -> tuple[ExternalContact, list[ExternalContact]]:
    """Return the target and what is still apart from it, each once.

    Copies of the vendor's store may differ for a while: a record that names the target as merged
    into it is the newer one and takes its place.
    """
    others = list(others)
    target = next((each for each in others if target.id in each.merged_ids), target)
    apart = {each.id: each for each in others if each.id not in target.merged_ids}
    return target, list(apart.values())


def _override(
    target: ExternalContact, sources: Sequence[ExternalContact], policy: str
) -> dict[str, Any]:
    """Return the winner's fields; what it has no value for is left to the API's choice."""
    winners = sources if policy == "source_wins" else (target,)
    fields: dict[str, Any] = {}
    for each in reversed(winners):
        fields |= each.writable()
    order = (*sources, target) if policy == "source_wins" else (target, *sources)
    return {**fields, **custom_fields(order)}


def _explained(error: errors.ApiError) -> errors.WorkerError:
    """Return what an answer to a merge means: all its contacts were there a moment ago."""
    if rule := FINAL.get(error.code):
        return errors.Rejected(f"source_profile_ids: {rule}; {error}")
    if isinstance(error, errors.NotFound):
        return errors.StateChanged(
            system=error.system,
            method=error.method,
            route=error.route,
            status=error.status,
            code=error.code,
            context_id=error.context_id,
        )
    return error
