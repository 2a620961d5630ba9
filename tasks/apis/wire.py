"""One exchange on the wire, bounded in time and size.

A connection that could not be opened is tried again here, since nothing was sent. Whatever goes
wrong later leaves the outcome unknown, and the caller is told so.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import requests
import tenacity
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, NewConnectionError

from tasks.apis.calls import Answer

CONNECT_TRIES = 3
MAX_ANSWER_BYTES = 64 * 1024 * 1024


class NoAnswer(Exception):
    """Raised when no complete, readable answer arrived in time; `status` if one was begun."""

    def __init__(self, status: int | None = None) -> None:
        super().__init__(status)
        self.status = status


class NotSent(Exception):
    """Raised when no connection could be opened: the request never left."""


class Bearer(AuthBase):
    """Sets the bearer token. An explicit auth also keeps `.netrc` out of the request."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class NoAuth(AuthBase):
    """Sends no credentials, not even those of a `.netrc`."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Wire(threading.local):
    """Sends requests over one `requests.Session` per thread."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._session = requests.Session()
        self._sleep = sleep

    def exchange(
        self, method: str, url: str, *, connect: float, within: float, **request: Any
    ) -> Answer:
        """Send one request and return its answer, read completely within `within` seconds.

        `request` holds the other arguments of `requests.request`. Raises `NotSent` and `NoAnswer`.
        """
        tries = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(NotSent),
            stop=tenacity.stop_after_attempt(CONNECT_TRIES),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=1.0),
            sleep=self._sleep,
            reraise=True,
        )
        return tries(self._once, method, url, connect, within, request)

    def _once(
        self, method: str, url: str, connect: float, within: float, request: dict[str, Any]
    ) -> Answer:
        deadline = time.monotonic() + within
        try:
            response = self._session.request(
                method,
                url,
                timeout=(connect, within),
                stream=True,
                allow_redirects=False,
                **request,
            )
        except requests.ConnectionError as error:
            raise NotSent if _never_opened(error) else NoAnswer from None
        except (requests.RequestException, HTTPError):
            raise NoAnswer from None
        with response:
            return _answer(response, deadline)


def _never_opened(error: requests.ConnectionError) -> bool:
    """Requests hides urllib3's reason in the first argument of its own error."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)


def _answer(response: requests.Response, deadline: float) -> Answer:
    content = bytearray()
    try:
        while chunk := response.raw.read1(65_536, decode_content=True):
            content += chunk
            if time.monotonic() > deadline or len(content) > MAX_ANSWER_BYTES:
                raise NoAnswer(response.status_code)
        body = json.loads(content, parse_float=Decimal) if content else None
    except (HTTPError, OSError, ValueError, RecursionError):
        raise NoAnswer(response.status_code) from None
    return Answer(status=response.status_code, headers=response.headers, body=body)
