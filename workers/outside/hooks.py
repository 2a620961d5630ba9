"""Hooks: URLs of a tenant that are told of what was done, a CRM for instance.

They are told once, after the operation has ended and was recorded. One that fails is logged and
recorded; it never undoes, repeats or hides anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tasks.apis.wire import NoAnswer, NoAuth, NotSent, Wire
from workers.watching.telemetry import log

#: Seconds to open a connection, and for the whole exchange.
CONNECT, WITHIN = 3.0, 5.0


def announce(
    wire: Wire, urls: Iterable[str], announcement: Mapping[str, Any], correlation_id: str
) -> list[str]:
    """POST `announcement` as JSON to each URL; return how each answered (`200`, `no answer`)."""
    headers = {"X-Correlation-Id": correlation_id}
    return [_post(wire, url, json=announcement, headers=headers) for url in urls]


def _post(wire: Wire, url: str, **request: Any) -> str:
    try:
        answer = wire.exchange(
            "POST", url, connect=CONNECT, within=WITHIN, auth=NoAuth(), **request
        )
    except (NoAnswer, NotSent) as error:
        log.warning("hook.failed", error=type(error).__name__)
        return "no answer"
    if answer.status >= 300:
        log.warning("hook.failed", status=answer.status)
    return str(answer.status)
