"""Listings by cursor: a page of entities, and where the pages around it are."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from workers.sandbox.call import Call
from workers.sandbox.errors import Refused, bad_request
from workers.sandbox.world import Document

LARGEST_PAGE = 300
CURSORS = frozenset({"pageSize", "before", "after"})


def listing(call: Call, entities: Mapping[str, Document]) -> Document:
    """One page of entities by their keys, in their order: `{entities, total, selfUri, …}`.

    `after` and `before` name the entity next to the page, `nextUri` and `previousUri` are there
    where such a page is. Raises Refused (400) for what is no cursor.
    """
    size = call.number("pageSize", LARGEST_PAGE, most=LARGEST_PAGE)
    keys = list(entities)
    start = _start(call, keys, size)
    page = keys[start : start + size]
    body: Document = {
        "entities": [entities[key] for key in page],
        "total": len(keys),
        "selfUri": _uri(call, dict(call.query)),
    }
    if start + size < len(keys):
        body["nextUri"] = _uri(call, {"pageSize": size, "after": _cursor(page[-1])})
    if page and start > 0:
        body["previousUri"] = _uri(call, {"pageSize": size, "before": _cursor(page[0])})
    return body


def _start(call: Call, keys: Sequence[str], size: int) -> int:
    if after := call.query.get("after"):
        return _place(keys, "after", after) + 1
    if before := call.query.get("before"):
        return max(0, _place(keys, "before", before) - size)
    return 0


def _place(keys: Sequence[str], name: str, cursor: str) -> int:
    try:
        return keys.index(base64.urlsafe_b64decode(cursor).decode())
    except (ValueError, binascii.Error):
        raise _strange(name) from None


def _strange(name: str) -> Refused:
    return bad_request(f"{name}: is not a cursor of this listing")


def _cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _uri(call: Call, query: Mapping[str, Any]) -> str:
    path = call.route.path.format_map(call.path)
    return f"{path}?{urlencode(query)}" if query else path
