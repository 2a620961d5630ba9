"""Interactions: the query that a sweep walks through, reading one, and the redacting PATCH."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from workers.sandbox.call import Answer, Body, Call, Route, overlay
from workers.sandbox.errors import Refused, bad_request, unprocessable
from workers.sandbox.genesys.interaction_query import after, cursor, parse, place
from workers.sandbox.notifications.conversation_events import conversation_changed
from workers.sandbox.notifications.guide_views import chat_view
from workers.sandbox.wire import digest, iso
from workers.sandbox.world import Document, find

LARGEST_PAGE = 100
FIELDS = ("id", "type", "state", "messages", "participants", "startTime", "endTime")


class InteractionsQuery(Body):
    """Body of `POST /interactions/query`; `fields` is a comma-separated list."""

    query: str
    size: int = Field(default=LARGEST_PAGE, ge=1, le=LARGEST_PAGE)
    fields: str = ",".join(FIELDS)


class InteractionPatch(Body):
    """Body of `PATCH /interactions/{id}`: the whole array of messages."""

    id: str
    messages: list[dict[str, Any]]


def query_interactions(call: Call) -> Answer:
    """`POST /interactions/query?nextPage=` → `{items, nextPage}`; the last page has no cursor.

    The order is by start, then id, so that what is added meanwhile shifts no page.
    """
    asked = call.body(InteractionsQuery)
    fields = _fields(asked.fields)
    conditions = parse(asked.query)
    found = sorted(
        (
            document
            for document in call.organization.interactions.values()
            if all(condition.holds(document) for condition in conditions)
        ),
        key=place,
    )
    if text := call.query.get("nextPage"):
        seen = after(asked.query, text)
        found = [document for document in found if place(document) > seen]
    page = found[: asked.size]
    body: Document = {"items": [_only(fields, document) for document in page]}
    if len(found) > len(page):
        body["nextPage"] = cursor(asked.query, page[-1])
    return Answer(body=body)


def read_interaction(call: Call) -> Answer:
    """`GET /interactions/{id}`, unless the options forbid it."""
    status = call.options.interaction_get
    if status != "ok":
        headers = {"Allow": "PATCH"} if status == 405 else {}
        raise Refused(status, "not.supported", "there is no such operation", headers=headers)
    return Answer(body=find(call.organization.interactions, "interaction", call.path["id"]))


def patch_interaction(call: Call) -> Answer:
    """`PATCH /interactions/{id}` replaces the messages; only their texts may differ.

    A live interaction may have got messages since it was read: as with the real one, which
    knows no version, they are lost, and the effect's `messages_dropped` counts them.
    """
    asked = call.body(InteractionPatch)
    interaction = find(call.organization.interactions, "interaction", call.path["id"])
    if asked.id != interaction["id"]:
        raise unprocessable("interaction.id.mismatch", "id: must be that of the path")
    held = interaction["messages"]
    _check_messages(held, asked.messages, live=interaction["state"] == "active")
    interaction["messages"] = asked.messages
    pairs = zip(held, asked.messages, strict=False)
    call.effect(
        "interaction.redacted",
        interaction["id"],
        messages_changed=sum(old != new for old, new in pairs),
        messages_dropped=len(held) - len(asked.messages),
        sha256=digest(asked.messages),
    )
    return Answer(body=interaction)


def _fields(text: str) -> list[str]:
    fields = [name.strip() for name in text.split(",")]
    if unknown := sorted(set(fields) - set(FIELDS)):
        raise bad_request(f"fields: unknown: {', '.join(unknown)}")
    return fields


def _only(fields: list[str], document: Document) -> Document:
    return {name: document[name] for name in fields if name in document}


def _check_messages(held: list[Document], sent: list[Document], *, live: bool) -> None:
    missing = len(held) - len(sent)
    if missing < 0 or (missing and not live):
        message = "messages: must be all messages of the interaction, in their order"
        raise unprocessable("messages.incomplete", message)
    for index, (old, new) in enumerate(zip(held, sent, strict=False)):
        kept = {**new, "text": None} == {**old, "text": None} and set(old) == set(new)
        if not kept or not isinstance(new.get("text", ""), str):
            message = f"messages[{index}]: only its text may differ"
            raise unprocessable("messages.changed", message)


def _change(call: Call, changes: Mapping[str, Any]) -> None:
    interaction = call.organization.interactions[call.path["id"]]
    before, state = chat_view(interaction), interaction["state"]
    overlay(interaction, changes)
    if state == "active" and interaction["state"] == "completed":
        interaction.setdefault("endTime", iso(call.now))
    call.effect("foreign.write", call.path["id"])
    after = chat_view(interaction)
    call.notify(conversation_changed(call.organization.id, before, after, call.now))


ROUTES = (
    Route(
        method="POST",
        path="/api/v2/interactions/query",
        scope="interaction:read",
        handle=query_interactions,
        query=frozenset({"nextPage"}),
    ),
    Route(
        method="GET",
        path="/api/v2/interactions/{id}",
        scope="interaction:read",
        handle=read_interaction,
        foreign=_change,
        writes="interactions",
    ),
    Route(
        method="PATCH",
        path="/api/v2/interactions/{id}",
        scope="interaction:write",
        handle=patch_interaction,
        foreign=_change,
        writes="interactions",
    ),
)
