"""What happens in the sandbox: chats end, attributes change, guests turn out to be known.

The messages that come of it are the bridge's alone, which hears of chats and contacts by WebSocket,
and of attributes by EventBridge.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from workers.bridge.judging import occurrences
from workers.bridge.judging.occurrences import Occurrence
from workers.demo import organizations
from workers.demo.attributes import first_user
from workers.demo.effects import synced
from workers.demo.errand import EITHER, NOOP, Document, Errand, Happening
from workers.demo.redactions import effects_of, talk
from workers.demo.syncs import documents_of
from workers.sandbox.genesys.profiles import merged_attributes
from workers.sandbox.seed import EPOCH, conversations, people


def chats(rng: random.Random, count: int) -> Iterator[Errand]:
    """Yield `count` chats that end; some hold nothing to redact."""
    for number, organization in enumerate(islice(organizations.in_turn(), count)):
        yield _chat(rng, organization, personal=0 if number % 5 == 4 else rng.randint(1, 4))


def calls(rng: random.Random, count: int) -> Iterator[Errand]:
    """Yield `count` calls of contacts, in which somebody's attributes change."""
    return (_call(rng, each) for each in islice(organizations.in_turn(), count))


def merges(rng: random.Random, count: int) -> Iterator[Errand]:
    """Yield `count` guests whom somebody else merges into a known profile."""
    return (_merge(rng, each) for each in islice(organizations.in_turn(), count))


def operation_id(errand: Errand, happening: Happening) -> str:
    """Return what the bridge calls the operation, or what stands for that until it is known."""
    if not happening.value:
        return f"end-of-{happening.subject}"
    subject = occurrences.subject(errand.task, errand.organization, happening.subject)
    return Occurrence(subject=subject, value=happening.value, at=0).operation_id


def _chat(rng: random.Random, organization: str, *, personal: int) -> Errand:
    chat, messages = talk(rng, started=EPOCH, personal=personal)
    # It begins when the sandbox gets it: a backfill looks at chats of the last days.
    del chat["startTime"]
    body = {**chat, "state": "active"}
    return Errand(
        task="redact_interaction",
        queue="redact",
        organization=organization,
        arguments={"interaction_id": chat["id"]},
        endings=EITHER if personal else NOOP,
        effects=effects_of(organization, chat["id"], personal, messages),
        documents=(Document(kind="interactions", id=chat["id"], body=body),),
        happening=Happening(subject=chat["id"]),
    )


def _call(rng: random.Random, organization: str) -> Errand:
    contact = people.contact(rng)
    call = conversations.conversation(rng, started=EPOCH, participants=rng.randint(2, 4))
    call["externalContactId"] = contact["contactId"]
    changed = copy.deepcopy(call)
    somebody = first_user(changed)
    values = somebody["participantAttributes"]
    values["case_number"] = f"{rng.randrange(10**6):06}"
    return _sync(
        organization,
        contact["contactId"],
        contact["attributes"],
        documents=(*documents_of(contact), _document("conversations", call["id"], call)),
        happening=Happening(
            subject=(call["id"], somebody["id"]),
            value=occurrences.of_values(values),
            change=_document("conversations", call["id"], changed),
        ),
    )


def _merge(rng: random.Random, organization: str) -> Errand:
    guest, target = (people.profile(rng, born=EPOCH) for _ in range(2))
    guest_id, target_id = guest["profileId"], target["profileId"]
    values = merged_attributes(target, [guest], "target_wins")
    merged = {**target, "customAttributes": values, "links": [{"profileId": guest_id}]}
    return _sync(
        organization,
        target_id,
        values,
        documents=(
            _document("profiles", guest_id, guest),
            _document("profiles", target_id, target),
            _document("customers", target_id, {"customerId": target_id}),
        ),
        happening=Happening(
            subject=target_id,
            value=occurrences.of_ids((guest_id, target_id)),
            change=_document("profiles", target_id, merged),
            contact=guest_id,
        ),
    )


def _sync(
    organization: str,
    contact_id: str,
    values: Mapping[str, Any],
    *,
    documents: tuple[Document, ...],
    happening: Happening,
) -> Errand:
    return Errand(
        task="sync_profile",
        queue="sync",
        organization=organization,
        arguments={"contact_id": contact_id},
        effects=(synced(organization, contact_id, values),),
        documents=documents,
        happening=happening,
    )


def _document(kind: str, document_id: str, body: Mapping[str, Any]) -> Document:
    return Document(kind=kind, id=document_id, body=body)
