"""Deployments of web messaging configurations: one organisation, several, replicated, contested."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

from workers.demo import organizations
from workers.demo.effects import configured, replication
from workers.demo.errand import DONE, REJECTED, Document, Errand, FollowUp
from workers.sandbox.seed import EPOCH, configurations
from workers.sandbox.world import new_id

#: Colours with enough contrast to white.
COLORS = ("#1A4FD6", "#7A1F5C", "#0E5E3A")


def errands(rng: random.Random, count: int) -> Iterator[Errand]:
    """Yield `count` deployments of every variant."""
    chosen = islice(cycle((plain, contested, replicated, plain, illegible)), count)
    for variant, organization in zip(chosen, organizations.in_turn(), strict=False):
        yield variant(rng, organization)


def plain(rng: random.Random, organization: str) -> Errand:
    """One to three organisations, each put by itself."""
    ids = _organization_ids(rng, rng.randint(1, 3))
    return Errand(
        task="deploy_config",
        queue="deploy",
        organization=organization,
        arguments={"organization_ids": ids, "config": _config(rng)},
        effects=tuple(configured(organization, each) for each in ids),
        documents=_documents(rng, ids),
    )


def contested(rng: random.Random, organization: str) -> Errand:
    """Another administrator changes the configuration right after it was read: a 409."""
    (own_id,) = ids = _organization_ids(rng, 1)
    fault = {
        "kind": "foreign_write",
        "method": "GET",
        "path": f"/api/v2/webchat/organizations/{own_id}/configurations",
        "changes": {"launcher": {"label": "Changed meanwhile"}},
    }
    return Errand(
        task="deploy_config",
        queue="deploy",
        organization=organization,
        arguments={"organization_ids": ids, "config": _config(rng)},
        effects=(configured(organization, own_id),),
        documents=_documents(rng, ids),
        faults=(fault,),
    )


def replicated(rng: random.Random, organization: str) -> Errand:
    """One organisation is put, and the API copies it to two others."""
    source, *targets = ids = _organization_ids(rng, 3)
    return Errand(
        task="deploy_config",
        queue="deploy",
        organization=organization,
        arguments={
            "organization_ids": ids,
            "config": _config(rng),
            "replicate": True,
            "overwrite_existing": True,
        },
        endings=frozenset({"accepted"}),
        effects=(
            configured(organization, source),
            replication(organization, "started", targets),
            replication(organization, "completed", targets),
        ),
        follow_ups=(FollowUp(suffix="replication", task="confirm_replication", endings=DONE),),
        documents=_documents(rng, ids),
    )


def illegible(rng: random.Random, organization: str) -> Errand:
    """Light grey on white, whatever contrast is declared."""
    config = {**_config(rng), "brand_color": "#CCCCCC", "contrast_ratio": 7.2}
    return Errand(
        task="deploy_config",
        queue="deploy",
        organization=organization,
        arguments={"organization_ids": _organization_ids(rng, 1), "config": config},
        endings=REJECTED,
    )


def _organization_ids(rng: random.Random, count: int) -> list[str]:
    return [f"org-{new_id(rng)[:8]}" for _ in range(count)]


def _config(rng: random.Random) -> dict[str, Any]:
    days = ("monday", "wednesday", "friday")
    return {
        "brand_color": rng.choice(COLORS),
        "font_size": rng.randint(14, 24),
        "font_family": "Inter",
        "greetings": ["Good day! What can we do for you?"],
        "availability_rules": [
            {"day_of_week": day, "start_time": "08:00", "end_time": "18:00"} for day in days
        ],
        "feature_flags": {"typingIndicator": True},
    }


def _documents(rng: random.Random, ids: list[str]) -> tuple[Document, ...]:
    return tuple(
        Document(
            kind="configurations",
            id=each,
            body=configurations.configuration(rng, each, modified=EPOCH),
        )
        for each in ids
    )
