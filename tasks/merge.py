"""Merge guest profiles into a target profile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tasks.apis.capabilities import Capabilities
from tasks.apis.genesys import Consent, Profile, Profiles
from tasks.apis.systems import Lock, unlocked
from tasks.compact_json import Json
from tasks.errors import NotFound, Rejected, StateChanged, Unsupported
from tasks.messages import MergeProfiles
from tasks.operations import Operation, Outcome
from tasks.profile_links import Links, links_of, reachable, read_on
from tasks.refusals import shown_attribute

#: What stands in the record where the API knows of no consents.
NO_CONSENTS = "not available on this API"

#: Consent states from the least to the most restrictive; one that is not listed counts as denied.
RESTRICTIVENESS = ("granted", "unknown", "expired", "withdrawn", "denied")


def merge_profiles(
    message: MergeProfiles,
    genesys: Profiles,
    identity_attributes: Sequence[str] = (),
    lock: Lock = unlocked,
) -> Outcome:
    """Merge the sources that are not linked to the target yet, and record what was merged.

    Two messages may name one profile by different ids: those that the API answers under are locked
    before the merge, besides those that are named.

    Raises `Rejected` for an unknown profile, a link cycle or too many distinct attributes, and
    `StateChanged` where links stand in the way that `merge_unlinked` cannot explain or go round:
    the next try reads them again. A merge that took effect without an answer is found as done by
    its links then; the consents and the identity match are recorded either way.
    """
    target = read_profile(genesys, "target_profile_id", message.target_profile_id)
    sources = {
        source_id: read_profile(genesys, "source_profile_ids", source_id)
        for source_id in message.source_profile_ids
    }
    read = {message.target_profile_id: target, **sources}
    linked = check_cycles(target.id, sources, links_of(read))
    unlinked = [source_id for source_id in sources if source_id not in linked]
    if unlinked:
        merging = [target, *(sources[source_id] for source_id in unlinked)]
        check_attributes(merging, genesys.capabilities.merged_attributes)
    record: dict[str, Json] = {
        "consents": consents_of(dict.fromkeys(profile.id for profile in read.values()), genesys),
        "identity_match": match_identities(target, list(sources.values()), identity_attributes),
    }
    merge = Merge(genesys=genesys, target_id=target.id, policy=message.merge_policy)
    survivor, merged = target.id, list[str]()
    if unlinked:
        with all_locked({profile.id for profile in read.values()} - read.keys(), lock):
            survivor, merged = merge_unlinked(merge, unlinked, read)
    facts: dict[str, Json] = {
        "profile_id": survivor,
        "merged": merged,
        "linked": [source for source in message.source_profile_ids if source not in merged],
        **resolved_ids(read),
    }
    return Outcome(
        status="done" if merged else "noop",
        detail=facts,
        record=record,
        announcement={**merge_subject(message), **facts},
    )


@contextmanager
def all_locked(profile_ids: Iterable[str], lock: Lock) -> Iterator[None]:
    """Hold the locks of these profiles in the block."""
    with ExitStack() as locks:
        for profile_id in sorted(profile_ids):
            locks.enter_context(lock(profile_lock(profile_id)))
        yield


def resolved_ids(read: Mapping[str, Profile]) -> Mapping[str, Json]:
    """Return `resolved`: the id that the API has answered under, for each that was another."""
    resolved = {asked: profile.id for asked, profile in read.items() if profile.id != asked}
    return {"resolved": resolved} if resolved else {}


def read_profile(genesys: Profiles, field: str, profile_id: str) -> Profile:
    """Return a profile, or raise `Rejected` naming the id where there is none."""
    try:
        return genesys.read_profile(profile_id)
    except NotFound:
        raise Rejected(f"{field}: there is no profile {profile_id}") from None


def check_cycles(target_id: str, sources: Mapping[str, Profile], links: Links) -> frozenset[str]:
    """Return what is linked to the target already, over any links read; the target itself too.

    Raises `Rejected` where the target itself is linked to a source in that way.
    """
    for source_id, source in sources.items():
        if target_id in reachable(source.id, links):
            raise Rejected(
                f"source_profile_ids: {source_id} holds the target by its links: a cycle"
            )
    return reachable(target_id, links) | {target_id}


@dataclass(frozen=True, kw_only=True)
class Merge:
    """A merge into one target, whatever its sources are."""

    genesys: Profiles
    target_id: str
    policy: str

    def of(self, source_ids: Sequence[str]) -> str:
        """Merge these sources and return the surviving profile's id."""
        return self.genesys.merge(self.target_id, source_ids, self.policy)


def merge_unlinked(
    merge: Merge, unlinked: list[str], read: Mapping[str, Profile]
) -> tuple[str, list[str]]:
    """Merge the sources; return the surviving profile's id and the sources that were merged.

    After a 409 the links are read on, and the merge is tried again without the sources that are in
    the target already or come with another source. Sources that belong to some other profile, by
    their reading or by the answer, are left out too; but then the 409 leaves as `StateChanged` once
    the others are merged, as it does where there is nothing to leave out. Raises `Rejected` where
    the links make a cycle.
    """
    try:
        return merge.of(unlinked), unlinked
    except StateChanged as error:
        read = read_on(read, merge.genesys)
        links = links_of(read)
        sources = {source_id: read[source_id] for source_id in unlinked}
        linked = check_cycles(merge.target_id, sources, links)
        if linked.issuperset(unlinked):
            return merge.target_id, []
        held = linked.union(*(reachable(source_id, links) for source_id in unlinked))
        elsewhere = error.named.union(each for each in unlinked if sources[each].id != each)
        left = [each for each in unlinked if each not in held | elsewhere]
        if not left or left == unlinked:
            raise
        survivor, merged = merge_unlinked(merge, left, read)
        if not held.union(merged).issuperset(unlinked):
            raise
        return survivor, merged


def check_attributes(profiles: Iterable[Profile], most: int | None) -> None:
    """Raise `Rejected` where the merged profile would have more than `most` distinct attributes."""
    distinct = {name for profile in profiles for name in profile.attributes}
    if most is not None and len(distinct) > most:
        raise Rejected(
            f"source_profile_ids: the merged profile would have {len(distinct)} custom attributes,"
            f" at most {most} are allowed"
        )


def consents_of(profile_ids: Iterable[str], genesys: Profiles) -> Json:
    """Return the most restrictive consent per purpose, or that the API knows of none."""
    if not genesys.capabilities.consents:
        return NO_CONSENTS
    return aggregate_consents(
        consent for profile_id in profile_ids for consent in genesys.read_consents(profile_id)
    )


def aggregate_consents(consents: Iterable[Consent]) -> Mapping[str, str]:
    """Return the most restrictive status per purpose."""
    strictest: dict[str, str] = {}
    for consent in consents:
        purpose = shown_attribute(consent.purpose)
        status = consent.status if consent.status in RESTRICTIVENESS else "denied"
        known = strictest.get(purpose, RESTRICTIVENESS[0])
        strictest[purpose] = max(known, status, key=RESTRICTIVENESS.index)
    return strictest


def match_identities(
    target: Profile, sources: Sequence[Profile], names: Sequence[str]
) -> Mapping[str, int]:
    """Return how many sources share the value of an identity attribute with the target."""
    own = {name: target.attributes[name] for name in names if target.attributes.get(name)}
    matching = [s for s in sources if any(s.attributes.get(n) == v for n, v in own.items())]
    return {"matching": len(matching), "sources": len(sources)}


def merge_subject(message: MergeProfiles) -> Mapping[str, Json]:
    """Return what every audit record of a merge names."""
    return {
        "target": message.target_profile_id,
        "sources": message.source_profile_ids,
        "policy": message.merge_policy,
    }


def usual_calls(message: MergeProfiles) -> int:
    """Return how many calls a merge makes: each profile and its consents are read."""
    return 2 * (1 + len(message.source_profile_ids)) + 1


def profile_lock(profile_id: str) -> str:
    return f"profile:{profile_id}"


def profile_locks(message: MergeProfiles) -> tuple[str, ...]:
    """Return the lock of every profile that the message names."""
    return tuple(map(profile_lock, (message.target_profile_id, *message.source_profile_ids)))


def check(message: MergeProfiles, can: Capabilities) -> None:
    """Raise where the contract cannot merge so many, or not by such a policy."""
    if len(message.source_profile_ids) > can.merge_sources:
        raise Rejected(
            f"source_profile_ids: the {can.contract} contract merges at most {can.merge_sources}"
            " into a profile at once; send several messages"
        )
    if message.merge_policy == "custom" and not can.custom_merge_policy:
        raise Unsupported(
            f"merge_policy: the {can.contract} contract knows no policies of the API's own;"
            " use target_wins or source_wins"
        )


OPERATION = Operation(
    message=MergeProfiles,
    use_case=lambda message, systems: merge_profiles(
        message, systems.genesys, systems.identity_attributes, systems.lock
    ),
    locks=profile_locks,
    calls=usual_calls,
    subject=merge_subject,
    check=check,
)
