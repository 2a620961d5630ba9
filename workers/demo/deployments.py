"""Deployments of web messaging configurations: one organisation, several, replicated, contested.

What has to stand in a configuration afterwards is written down here, field by field.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import cycle, islice
from types import MappingProxyType
from typing import Any

from workers.demo import organizations
from workers.demo.effects import (
    Effect,
    configured,
    replication_completed,
    replication_started,
)
from workers.demo.errand import DONE, REJECTED, Document, Errand, FollowUp
from workers.sandbox.seed import EPOCH, configurations
from workers.sandbox.world import new_id

#: Colours with their contrast to white, which is enough.
CONTRASTS = {"#1A4FD6": "6.70", "#7A1F5C": "9.64", "#0E5E3A": "7.83"}

SET_BY_THE_API = ("organizationId", "version", "dateModified")

#: What another administrator changes: a field of their own, and one amid ours.
MEANWHILE: Mapping[str, Any] = {
    "launcher": {"label": "Changed meanwhile"},
    "widget": {"theme": {"season": "winter"}},
}


def errands(rng: random.Random, count: int) -> Iterator[Errand]:
    """Yield `count` deployments of every variant."""
    chosen = islice(cycle((plain, contested, replicated, plain, illegible)), count)
    for variant, organization in zip(chosen, organizations.in_turn(), strict=False):
        yield variant(rng, organization)


def plain(rng: random.Random, organization: str) -> Errand:
    """One to three organisations, each put by itself."""
    ids, config = _organization_ids(rng, rng.randint(1, 3)), _config(rng)
    documents = _documents(rng, ids)
    return Errand(
        task="deploy_config",
        queue="deploy",
        organization=organization,
        arguments={"organization_ids": ids, "config": config},
        effects=tuple(_configured(organization, each, config) for each in documents),
        documents=documents,
    )


def contested(rng: random.Random, organization: str) -> Errand:
    """Another administrator changes the configuration right after it was read: a 409."""
    (own_id,) = ids = _organization_ids(rng, 1)
    (document,), config = _documents(rng, ids), _config(rng)
    fault = {
        "kind": "foreign_write",
        "method": "GET",
        "path": f"/api/v2/webchat/organizations/{own_id}/configurations",
        "changes": MEANWHILE,
    }
    return Errand(
        task="deploy_config",
        queue="deploy",
        organization=organization,
        arguments={"organization_ids": ids, "config": config},
        effects=(_configured(organization, document, config, meanwhile=MEANWHILE),),
        documents=(document,),
        faults=(fault,),
    )


def replicated(rng: random.Random, organization: str) -> Errand:
    """One organisation is put, and the API copies it to two others."""
    source, *targets = ids = _organization_ids(rng, 3)
    documents, config = _documents(rng, ids), _config(rng)
    return Errand(
        task="deploy_config",
        queue="deploy",
        organization=organization,
        arguments={
            "organization_ids": ids,
            "config": config,
            "replicate": True,
            "overwrite_existing": True,
        },
        endings=frozenset({"accepted"}),
        effects=(
            _configured(organization, documents[0], config),
            replication_started(organization, source, targets, overwrite=True),
            replication_completed(organization, targets),
        ),
        follow_ups=(
            FollowUp(suffix="replication-{job_id}", task="confirm_replication", endings=DONE),
        ),
        documents=documents,
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
        "brand_color": rng.choice(list(CONTRASTS)),
        "font_size": rng.randint(14, 24),
        "font_family": "Inter",
        "greetings": ["Good day! What can we do for you?"],
        "availability_rules": [
            {"day_of_week": day, "start_time": "08:00", "end_time": "18:00"} for day in days
        ],
        "feature_flags": {"typingIndicator": True},
    }


def _documents(rng: random.Random, ids: list[str]) -> tuple[Document, ...]:
    """Return a configuration for each organisation, with a field of others amid ours."""
    made = {each: configurations.configuration(rng, each, modified=EPOCH) for each in ids}
    for body in made.values():
        body["widget"]["theme"]["corners"] = rng.choice(("round", "square"))
    return tuple(Document(kind="configurations", id=each, body=body) for each, body in made.items())


def _configured(
    organization: str,
    document: Document,
    config: Mapping[str, Any],
    *,
    meanwhile: Mapping[str, Any] = MappingProxyType({}),
) -> Effect:
    """Return the deployment that sets our fields and keeps those of `document` and `meanwhile`."""
    held = {name: document.body[name] for name in document.body if name not in SET_BY_THE_API}
    left = _laid_over(_laid_over(held, meanwhile), _fields(config))
    return configured(organization, document.id, left)


def _fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the vendor's document that a deployment sets, as the guide has them."""
    color, rules = config["brand_color"], config["availability_rules"]
    return {
        "widget": {
            "theme": {
                "colors": {"primary": color, "background": "#FFFFFF"},
                "typography": {
                    "fontSize": f"{config['font_size']}px",
                    "fontFamily": config["font_family"],
                },
            },
            "accessibility": {
                "wcagLevel": "AA",
                "contrastRatio": Decimal(CONTRASTS[color]),
                "ariaLiveRegion": "polite",
            },
        },
        "greetings": {"enabled": True, "messages": config["greetings"], "delayMs": 2000},
        "availability": {"schedule": "custom", "rules": [_rule(each) for each in rules]},
        "features": {"flags": config["feature_flags"], "audiences": [], "dynamicRouting": False},
    }


def _rule(rule: Mapping[str, str]) -> dict[str, str]:
    spelling = {"day_of_week": "dayOfWeek", "start_time": "startTime", "end_time": "endTime"}
    return {spelling[name]: value for name, value in rule.items()}


def _laid_over(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `document` with `changes`: maps are merged, everything else is replaced."""
    both = (name for name in changes if isinstance(changes[name], Mapping) and name in document)
    merged = {name: _laid_over(document[name], changes[name]) for name in both}
    return {**document, **changes, **merged}
