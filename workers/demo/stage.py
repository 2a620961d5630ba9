"""Prepares the sandbox: the documents of the plan, limits of its own, and trouble."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.demo import organizations
from workers.demo.plan import Plan
from workers.demo.surroundings import PARTICIPANTS_PER_SECOND, Surroundings
from workers.sandbox.notifications.topics import ATTRIBUTES, CONTACT
from workers.sandbox.seed import EPOCH, seeded_clients
from workers.sandbox.testing import SandboxHandle
from workers.sandbox.wire import iso

_PARTICIPANT = "/api/v2/conversations/voice/participants/{participantId}"
_PROFILE = "/api/v2/identity/profiles/{id}"
_MERGE = "/api/v2/identity/profiles/merge"
_CONTACT = "/api/v2/interactions/contacts/{contactId}"
_CUSTOMER = "/api/v2/customers/{customerId}/attributes"
_INTERACTION = "/api/v2/interactions/{id}"
_CONFIGURATION = "/api/v2/webchat/organizations/{orgId}/configurations"

#: What goes wrong besides the conflicts of single errands, each so many times (once by default).
TROUBLE: tuple[Mapping[str, Any], ...] = (
    {"kind": "status", "status": 503, "method": "POST", "route": _MERGE, "times": 2, "skip": 3},
    {"kind": "reset_after", "method": "POST", "route": _MERGE, "times": 2, "skip": 9},
    {"kind": "truncated_body", "method": "GET", "route": _PROFILE, "times": 2, "skip": 20},
    {
        "kind": "status",
        "status": 429,
        "headers": {"Retry-After": "1"},
        "method": "GET",
        "route": _PROFILE,
        "times": 2,
        "skip": 60,
    },
    {"kind": "reset_after", "method": "PATCH", "route": _PARTICIPANT, "times": 3, "skip": 5},
    {"kind": "status", "status": 500, "method": "GET", "route": _CONTACT, "times": 2, "skip": 4},
    {"kind": "expire_tokens", "method": "GET", "route": _CONTACT, "skip": 12},
    {
        "kind": "status",
        "status": 429,
        "headers": {"Retry-After": "2"},
        "method": "PUT",
        "route": _CUSTOMER,
        "times": 2,
        "skip": 10,
    },
    {"kind": "reset_after", "method": "PUT", "route": _CUSTOMER, "times": 2, "skip": 20},
    {"kind": "status", "status": 503, "method": "PATCH", "route": _INTERACTION, "skip": 2},
    {"kind": "reset_after", "method": "PATCH", "route": _INTERACTION, "skip": 6},
    {"kind": "reset_after", "method": "PUT", "route": _CONFIGURATION, "skip": 1},
    {"kind": "latency", "seconds": 1.0, "method": "PATCH", "route": _PARTICIPANT, "times": 2},
)


#: How often EventBridge delivers an event twice, or late. It tells of conversations, which nobody
#: can name in advance, and of contacts too, since no backfill would know of them.
UNTIDY = 0.3


def furnish(surroundings: Surroundings, sandbox_url: str) -> None:
    """Set limits, and let chats that would end by themselves be over, before anybody calls.

    They were over so long ago that nothing comes of it.
    """
    sandbox = SandboxHandle(sandbox_url)
    sandbox.options(participants_per_second=PARTICIPANTS_PER_SECOND)
    for client in seeded_clients():
        sandbox.put_client(client.client_id, requests_per_minute=surroundings.budget)
    for organization in (organizations.DEFAULT, organizations.ACME):
        for chat_id in sandbox.ids("interactions", organization, state="active"):
            chat = sandbox.get("interactions", chat_id, organization)
            over = {**chat, "state": "completed", "endTime": iso(EPOCH)}
            sandbox.put("interactions", chat_id, over, organization)


def prepare(sandbox: SandboxHandle, plan: Plan, surroundings: Surroundings, receiver: str) -> None:
    """Put everything in its place before the first message is sent, and deliver to the receiver."""
    for planned in plan.planned:
        errand = planned.errand
        for each in errand.documents:
            sandbox.put(each.kind, each.id, dict(each.body), errand.organization)
        for fault in errand.faults:
            sandbox.fault(**fault)
    for fault in TROUBLE:
        sandbox.fault(**fault)
    for organization in (organizations.DEFAULT, organizations.ACME):
        named = (CONTACT.replace("{id}", e) for e in surroundings.contacts.get(organization, ()))
        sandbox.add_target(
            f"{receiver}/events/{organization}",
            surroundings.secret,
            organization,
            contract="guide",
            topics=[ATTRIBUTES, *named],
            duplicates=UNTIDY,
            reordered=UNTIDY,
        )
