"""`GET /notifications/availabletopics`: what may be subscribed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.notifications.topics import TOPICS, Topic
from workers.sandbox.platform.queries import choice
from workers.sandbox.world import Document

EXPANSIONS = frozenset(
    {
        "description",
        "enforced",
        "schema",
        "visibility",
        "transports",
        "publicApiTemplateUriPaths",
        "requiresPermissions",
        "permissionDetails",
        "topicParameters",
    }
)


def list_topics(call: Call) -> Answer:
    """`?expand=` → `{entities[{id, …}]}`: ids, and of the rest what is asked for."""
    expanded = call.choices("expand", EXPANSIONS)
    choice(call, "includePreview", "true", ("true", "false", "True", "False"))
    entities = [_shown(topic, expanded) for topic in TOPICS.values()]
    return Answer(body={"entities": entities})


def _shown(topic: Topic, expanded: frozenset[str]) -> Document:
    all_of_it: Mapping[str, Any] = {
        "description": topic.description,
        "enforced": True,
        "schema": {},
        "visibility": "Public",
        "transports": [topic.transport],
        "publicApiTemplateUriPaths": list(topic.paths),
        "requiresPermissions": list(topic.permissions),
        "permissionDetails": [_details(topic)],
        "topicParameters": re.findall(r"\{(\w+)\}", topic.template),
    }
    return {"id": topic.template, **{name: all_of_it[name] for name in sorted(expanded)}}


def _details(topic: Topic) -> Document:
    kind = "requiresDivisionPermissions" if topic.divisioned else "requiresPermissions"
    return {"type": kind, "permissions": list(topic.permissions), "enforced": True}


_EXPAND = frozenset({"expand"})
ROUTES = (
    Route(
        method="GET",
        path="/api/v2/notifications/availabletopics",
        handle=list_topics,
        query=_EXPAND | {"includePreview"},
        repeatable=_EXPAND,
    ),
)
