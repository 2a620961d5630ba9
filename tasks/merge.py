"""Merge guest profiles into a target profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tasks.apis.genesys import Consent, Profile, Profiles
from tasks.errors import NotFound, Rejected
from tasks.messages import MergeProfiles
from tasks.operations import Json, Operation, Outcome

MAX_ATTRIBUTES = 50

#: Consent states from the least to the most restrictive; one that is not listed counts as denied.
RESTRICTIVENESS = ("granted", "unknown", "expired", "withdrawn", "denied")


def merge_profiles(
    message: MergeProfiles, genesys: Profiles, identity_attributes: Sequence[str] = ()
) -> Outcome:
    """Merge the sources that are not linked to the target yet, and record what was merged.

    Raises `Rejected` for an unknown profile, a link cycle or more than 50 distinct attributes. A
    409 of the merge leaves as `StateChanged`: the next try reads the links again and merges what is
    left of it. A merge that took effect without an answer is found as done by its links then; the
    consents and the identity match are recorded either way.
    """
    target = read_profile(genesys, "target_profile_id", message.target_profile_id)
    sources = [
        read_profile(genesys, "source_profile_ids", source_id)
        for source_id in message.source_profile_ids
    ]
    linked = check_cycles(target, sources)
    unlinked = [source for source in sources if source.id not in linked]
    if unlinked:
        check_attributes([target, *unlinked])
    consents = [c for profile in (target, *sources) for c in genesys.read_consents(profile.id)]
    record: dict[str, Json] = {
        "consents": aggregate_consents(consents),
        "identity_match": match_identities(target, sources, identity_attributes),
    }
    merged = [source.id for source in unlinked]
    survivor = genesys.merge(target.id, merged, message.merge_policy) if merged else target.id
    return _outcome(message, survivor=survivor, merged=merged, record=record)


def read_profile(genesys: Profiles, field: str, profile_id: str) -> Profile:
    """Return a profile, or raise `Rejected` naming the id where there is none."""
    try:
        return genesys.read_profile(profile_id)
    except NotFound:
        raise Rejected(f"{field}: there is no profile {profile_id}") from None


def check_cycles(target: Profile, sources: Sequence[Profile]) -> set[str]:
    """Return what is linked to the target already, over any links read here.

    Raises `Rejected` where the target itself is linked to a source in that way.
    """
    links = {profile.id: profile.links for profile in (target, *sources)}
    for source in sources:
        if target.id in _reachable(source.id, links):
            raise Rejected(
                f"source_profile_ids: {source.id} holds the target by its links: a cycle"
            )
    return _reachable(target.id, links)


def _reachable(start: str, links: Mapping[str, frozenset[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = [start]
    while ahead:
        found = links.get(ahead.pop(), frozenset()) - reached
        reached |= found
        ahead.extend(found)
    return reached


def check_attributes(profiles: Iterable[Profile]) -> None:
    """Raise `Rejected` where the merged profile would have more than 50 distinct attributes."""
    distinct = {name for profile in profiles for name in profile.attributes}
    if len(distinct) > MAX_ATTRIBUTES:
        raise Rejected(
            f"source_profile_ids: the merged profile would have {len(distinct)} custom attributes,"
            f" at most {MAX_ATTRIBUTES} are allowed"
        )


def aggregate_consents(consents: Iterable[Consent]) -> Mapping[str, str]:
    """Return the most restrictive status per purpose."""
    strictest: dict[str, str] = {}
    for consent in consents:
        status = consent.status if consent.status in RESTRICTIVENESS else "denied"
        known = strictest.get(consent.purpose, RESTRICTIVENESS[0])
        strictest[consent.purpose] = max(known, status, key=RESTRICTIVENESS.index)
    return strictest


def match_identities(
    target: Profile, sources: Sequence[Profile], names: Sequence[str]
) -> Mapping[str, int]:
    """Return how many sources share the value of an identity attribute with the target."""
    own = {name: target.attributes[name] for name in names if target.attributes.get(name)}
    matching = [s for s in sources if any(s.attributes.get(n) == v for n, v in own.items())]
    return {"matching": len(matching), "sources": len(sources)}


def _outcome(
    message: MergeProfiles, *, survivor: str, merged: list[str], record: Mapping[str, Json]
) -> Outcome:
    linked = [source for source in message.source_profile_ids if source not in merged]
    facts: dict[str, Json] = {"profile_id": survivor, "merged": merged, "linked": linked}
    subject: dict[str, Json] = {
        "target": message.target_profile_id,
        "sources": message.source_profile_ids,
        "policy": message.merge_policy,
    }
    return Outcome(
        status="done" if merged else "noop",
        detail=facts,
        record={**subject, **record},
        announcement={**subject, **facts} if merged else None,
    )


def profile_locks(message: MergeProfiles) -> tuple[str, ...]:
    """Return the lock of every profile that the merge touches."""
    return tuple(f"profile:{p}" for p in (message.target_profile_id, *message.source_profile_ids))


OPERATION = Operation(
    message=MergeProfiles,
    use_case=lambda message, systems: merge_profiles(
        message, systems.genesys, systems.identity_attributes
    ),
    locks=profile_locks,
)
