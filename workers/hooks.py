"""Hooks: URLs of a tenant that are told of what was done, a CRM for instance.

They are told once, after the operation has ended and was recorded. One that fails is logged and
recorded; it never undoes, repeats or hides anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import requests

from tasks.apis.wire import NoAuth
from workers.telemetry import log

TIMEOUT = (3.0, 5.0)


def announce(urls: Iterable[str], announcement: Mapping[str, Any]) -> list[str]:
    """POST `announcement` as JSON to each URL; return how each answered (`200`, `no answer`)."""
    return [_post(url, announcement) for url in urls]


def _post(url: str, announcement: Mapping[str, Any]) -> str:
    try:
        answer = requests.post(
            url, json=announcement, timeout=TIMEOUT, allow_redirects=False, auth=NoAuth()
        )
    except requests.RequestException as error:
        log.warning("hook.failed", error=type(error).__name__)
        return "no answer"
    if not answer.ok:
        log.warning("hook.failed", status=answer.status_code)
    return str(answer.status_code)
