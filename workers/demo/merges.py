"""Merges of profiles: plain ones, done ones, ones that another writer gets between."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

from workers.demo import organizations
from workers.demo.effects import Effect, merged, synced
from workers.demo.errand import EITHER, NOOP, REJECTED, Document, Errand, FollowUp
from workers.sandbox.genesys.profiles import merged_attributes
from workers.sandbox.seed import EPOCH, people

POLICIES = ("target_wins", "source_wins", "custom")
SYNC = FollowUp(suffix="sync", task="sync_profile")


def errands(rng: random.Random, count: int) -> Iterator[Errand]:
    """Yield `count` merges of every variant."""
    variants = (plain, plain, linked, plain, contested, plain, unknown, plain, crowded)
    chosen = islice(cycle(variants), count)
    for variant, organization in zip(chosen, organizations.in_turn(), strict=False):
        yield variant(rng, organization)


def errands_with_sync(rng: random.Random, count: int) -> Iterator[Errand]:
    """Yield `count` merges that a sync of the survivor has to follow, or nothing if refused."""
    for number, organization in zip(range(count), organizations.in_turn(), strict=False):
        merge = unknown(rng, organization) if number % 7 == 6 else plain(rng, organization)
        yield followed(merge)


def plain(rng: random.Random, organization: str) -> Errand:
    """One to three profiles that nothing links yet."""
    target, *sources = _profiles(rng, 1 + rng.randint(1, 3))
    policy = rng.choice(POLICIES)
    ids = [source["profileId"] for source in sources]
    return Errand(
        task="merge_profiles",
        queue="merge",
        organization=organization,
        arguments=_arguments(target, ids, policy),
        effects=(merged(organization, target["profileId"], ids, policy),),
        documents=_documents(rng, [target, *sources]),
    )


def linked(rng: random.Random, organization: str) -> Errand:
    """A merge that was done before: there is nothing to do."""
    target, source = _profiles(rng, 2)
    people.link(target, [source])
    return Errand(
        task="merge_profiles",
        queue="merge",
        organization=organization,
        arguments=_arguments(target, [source["profileId"]], "target_wins"),
        endings=NOOP,
        documents=_documents(rng, [target, source]),
    )


def contested(rng: random.Random, organization: str) -> Errand:
    """Somebody else merges one of two sources right after the target was read: a 409.

    What is left has to be merged, and no more.
    """
    target, taken, left = _profiles(rng, 3)
    target_id, taken_id, left_id = (each["profileId"] for each in (target, taken, left))
    fault = {
        "kind": "foreign_write",
        "method": "GET",
        "path": f"/api/v2/identity/profiles/{target_id}",
        "changes": {"links": [{"profileId": taken_id}]},
    }
    return Errand(
        task="merge_profiles",
        queue="merge",
        organization=organization,
        arguments=_arguments(target, [taken_id, left_id], "target_wins"),
        effects=(merged(organization, target_id, [left_id], "target_wins"),),
        documents=_documents(rng, [target, taken, left]),
        faults=(fault,),
    )


def unknown(rng: random.Random, organization: str) -> Errand:
    """A source that does not exist."""
    target, source = _profiles(rng, 2)
    return Errand(
        task="merge_profiles",
        queue="merge",
        organization=organization,
        arguments=_arguments(target, [source["profileId"]], "target_wins"),
        endings=REJECTED,
        documents=_documents(rng, [target]),
    )


def crowded(rng: random.Random, organization: str) -> Errand:
    """More than 50 distinct attributes on the merged profile."""
    profiles = [people.profile(rng, born=EPOCH, extra_attributes=30) for _ in range(2)]
    target, source = profiles
    return Errand(
        task="merge_profiles",
        queue="merge",
        organization=organization,
        arguments=_arguments(target, [source["profileId"]], "source_wins"),
        endings=REJECTED,
        documents=_documents(rng, profiles),
    )


def followed(merge: Errand) -> Errand:
    """Return `merge` with the sync that has to follow it, where it is not refused."""
    refused = merge.endings == REJECTED
    return Errand(
        task="merge_and_sync",
        queue=merge.queue,
        organization=merge.organization,
        arguments=merge.arguments,
        endings=merge.endings if refused else EITHER,
        effects=merge.effects if refused else (*merge.effects, _sync_of(merge)),
        follow_ups=() if refused else (SYNC,),
        documents=(*merge.documents, *_customers(merge)),
    )


def _sync_of(merge: Errand) -> Effect:
    target, *sources = [dict(each.body) for each in merge.documents if each.kind == "profiles"]
    values = merged_attributes(target, sources, merge.arguments["merge_policy"])
    return synced(merge.organization, target["profileId"], values)


def _customers(merge: Errand) -> Iterator[Document]:
    customer_id = merge.arguments["target_profile_id"]
    yield Document(kind="customers", id=customer_id, body={"customerId": customer_id})


def _profiles(rng: random.Random, count: int) -> list[dict[str, Any]]:
    return [people.profile(rng, born=EPOCH) for _ in range(count)]


def _arguments(target: dict[str, Any], sources: list[str], policy: str) -> dict[str, Any]:
    return {
        "source_profile_ids": sources,
        "target_profile_id": target["profileId"],
        "merge_policy": policy,
    }


def _documents(rng: random.Random, profiles: list[dict[str, Any]]) -> tuple[Document, ...]:
    """Return the profiles as documents, some of them with consents."""
    made = [Document(kind="profiles", id=each["profileId"], body=each) for each in profiles]
    made += [
        Document(kind="consents", id=each["profileId"], body=people.consents(rng))
        for each in profiles
        if rng.random() < 0.5
    ]
    return tuple(made)
