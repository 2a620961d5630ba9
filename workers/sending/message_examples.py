"""Examples of the public messages: keyword arguments that a producer may send as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Example:
    """The keyword arguments of one message, and what they ask for."""

    says: str
    arguments: Mapping[str, Any]


_LOOK = {
    "brand_color": "#003366",
    "background_color": "#FFFFFF",
    "contrast_ratio": 12.6,
    "font_size": 16,
    "font_family": "Open Sans, sans-serif",
    "greetings": ["Hello, how can we help?"],
    "availability_rules": [
        {"day_of_week": "monday", "start_time": "09:00", "end_time": "17:30"},
    ],
    "feature_flags": {"file_upload": True},
    "audience_segments": ["returning"],
}

#: By task. Together, the examples of a task show all its arguments.
EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "merge_profiles": (
        Example(
            says="Two guests turn out to be a known customer.",
            arguments={
                "source_profile_ids": ["guest-1", "guest-2"],
                "target_profile_id": "profile-9",
                "merge_policy": "target_wins",
            },
        ),
        Example(
            says="The same for the tenant acme, under an idempotency key of the sender's own.",
            arguments={
                "tenant": "acme",
                "operation_id": "order-4711:merge",
                "correlation_id": "order-4711",
                "source_profile_ids": ["guest-1"],
                "target_profile_id": "profile-9",
            },
        ),
    ),
    "merge_and_sync": (
        Example(
            says="Merge, then copy the survivor to the customer whom it belongs to.",
            arguments={
                "source_profile_ids": ["guest-1"],
                "target_profile_id": "profile-9",
                "merge_policy": "source_wins",
                "contact_id": "contact-9",
                "customer_id": "customer-77",
            },
        ),
    ),
    "set_attributes": (
        Example(
            says="Values that are not set where newer ones of the same names have been.",
            arguments={
                "conversation_id": "conversation-3",
                "attributes": {"tier": "gold", "language": "de"},
                "occurred_at": "2026-03-19T22:04:48Z",
            },
        ),
        Example(
            says="The same on one participant, or on another kind than the user.",
            arguments={
                "conversation_id": "conversation-3",
                "participant_id": "participant-5",
                "participant_type": "customer",
                "attributes": {"tier": "gold"},
            },
        ),
    ),
    "sync_profile": (
        Example(
            says="Copy the contact as it is by then.",
            arguments={"contact_id": "contact-9"},
        ),
        Example(
            says="Copy values that an event has told, to a customer who is known.",
            arguments={
                "contact_id": "contact-9",
                "customer_id": "customer-77",
                "attributes": {"Loyalty Tier": "gold"},
                "occurred_at": "2026-03-19T22:04:48Z",
            },
        ),
    ),
    "deploy_config": (
        Example(
            says="To two organisations, the second by replication (guide contract).",
            arguments={
                "organization_ids": ["org-1", "org-2"],
                "config": _LOOK,
                "replicate": True,
                "overwrite_existing": True,
                "audit_window": {"start": "2026-03-01T00:00:00Z", "end": "2026-03-20T00:00:00Z"},
            },
        ),
        Example(
            says="To a deployment (platform contract).",
            arguments={
                "deployment_id": "deployment-1",
                "configuration_id": "configuration-1",
                "config": _LOOK,
            },
        ),
    ),
    "redact_interaction": (
        Example(
            says="Everything that the tenant's rules name.",
            arguments={"interaction_id": "interaction-8"},
        ),
        Example(
            says="E-mail addresses and cards only.",
            arguments={
                "interaction_id": "interaction-8",
                "entities": ["email", "credit_card"],
            },
        ),
    ),
    "redact_completed": (
        Example(
            says="Every interaction of a day, fifty a page.",
            arguments={
                "since": "2026-03-19T00:00:00Z",
                "until": "2026-03-20T00:00:00Z",
                "page_size": 50,
            },
        ),
    ),
}
