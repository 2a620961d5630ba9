"""Messages that can never be carried out: each has to end as a dead letter, without any call."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice, repeat
from typing import Any

from workers.demo.errand import REJECTED, Errand
from workers.sandbox.world import new_id


def errands(rng: random.Random, count: int) -> Iterator[Errand]:
    """Yield `count` messages, each broken in one of many ways."""
    rounds = repeat(None)
    return islice((errand for _ in rounds for errand in _one_of_each(rng)), count)


def _bad(task: str, queue: str, **arguments: Any) -> Errand:
    return Errand(task=task, queue=queue, arguments=arguments, endings=REJECTED)


def _merge(rng: random.Random, **changes: Any) -> Errand:
    good: Mapping[str, Any] = {
        "source_profile_ids": [new_id(rng)],
        "target_profile_id": new_id(rng),
    }
    return _bad("merge_profiles", "merge", **{**good, **changes})


def _self_merge(rng: random.Random) -> Errand:
    profile = new_id(rng)
    return _merge(rng, source_profile_ids=[profile], target_profile_id=profile)


def _oversized(rng: random.Random) -> Errand:
    values = {"note": "x" * 1100}
    return _bad("set_attributes", "attributes", conversation_id=new_id(rng), attributes=values)


def _positional(rng: random.Random) -> Errand:
    return Errand(
        task="sync_profile",
        queue="sync",
        arguments={},
        positional=(new_id(rng),),
        endings=REJECTED,
    )


def _one_of_each(rng: random.Random) -> Iterator[Errand]:
    some_id = new_id(rng)
    yield _merge(rng, surprise="yes")
    yield _merge(rng, source_profile_ids=[])
    yield _merge(rng, source_profile_ids=[new_id(rng) for _ in range(11)])
    yield _self_merge(rng)
    yield _merge(rng, target_profile_id="../../oauth/token")
    yield _merge(rng, merge_policy="whoever_wins")
    yield _bad("set_attributes", "attributes", conversation_id=some_id, attributes=[])
    yield _oversized(rng)
    yield _bad("sync_profile", "sync", contact_id=7)
    yield _bad("sync_profile", "sync", contact_id=some_id, tenant="nobody")
    yield _bad("sync_profile", "sync.acme", contact_id=some_id, tenant="default")
    yield _positional(rng)
    yield replace(_bad("make_coffee", "sync", cups=2), recorded=False)
    yield _bad("redact_interaction", "redact", interaction_id=some_id, entities=["name"])
    yield _bad("redact_completed", "sweep", page_size=1000)
