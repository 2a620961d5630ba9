"""Messages as they stand in a Redis list, whole or broken, below any Celery client."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

Fields = dict[str, Any]


def raw(
    body: Any,
    *,
    headers: Fields | None = None,
    properties: Fields | None = None,
    changes: Fields | None = None,
    without: Iterable[str] = (),
) -> bytes:
    """Return a message for `set_attributes` whose body is the JSON of `body`, or these bytes.

    `headers`, `properties` and `changes` (of the message itself) are laid over the usual ones.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    message = {
        "body": base64.b64encode(content).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": "set_attributes", "id": str(uuid4()), **(headers or {})},
        "properties": {
            "correlation_id": str(uuid4()),
            "reply_to": str(uuid4()),
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "attributes"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid4()),
            **(properties or {}),
        },
        **(changes or {}),
    }
    return json.dumps({k: v for k, v in message.items() if k not in set(without)}).encode()
