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
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import tenacity
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.exceptions import HTTPError, NewConnectionError

from tasks.apis.calls import Answer

CONNECT_TRIES = 3
MAX_ANSWER_BYTES = 64 * 1024 * 1024


class NoAnswer(Exception):
    """Raised when no complete, readable answer arrived in time; `status` if one was begun."""

    def __init__(self, status: int | None = None) -> None:
        super().__init__(status)
        self.status = status


class TooLong(Exception):
    """Raised when the body of an answer of this `status` exceeds `limit` bytes."""

    def __init__(self, status: int, limit: int) -> None:
        super().__init__(status, limit)
        self.status = status
        self.limit = limit


class NotSent(Exception):
    """Raised when no connection could be opened: the request never left."""


class Bearer(AuthBase):
    """Sets the bearer token. An explicit auth also keeps `.netrc` out of the request."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class KeyHeader(AuthBase):
    """Sets `X-API-Key`; in the query string logs would keep it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-API-Key"] = self._key
        return request


class Basic(HTTPBasicAuth):
    """HTTP Basic with credentials in UTF-8; as texts they would have to be Latin-1."""

    def __init__(self, client_id: str, client_secret: str) -> None:
        super().__init__(client_id.encode(), client_secret.encode())


class NoAuth(AuthBase):
    """Sends no credentials, not even those of a `.netrc`."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Wire(threading.local):
    """Sends requests over one `requests.Session` per thread, which keeps no cookies.

    A cookie would go to every tenant of the host that set it.
    """

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._sleep = sleep

    def exchange(
        self, method: str, url: str, *, connect: float, within: float, **request: Any
    ) -> Answer:
        """Send one request and return its answer, read completely within `within` seconds.

        The seconds cover all tries to connect. `request` holds the other arguments of
        `requests.request`. Raises `NotSent`, `NoAnswer` and `TooLong`.
        """
        deadline = time.monotonic() + within
        tries = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(NotSent),
            stop=tenacity.stop_after_attempt(CONNECT_TRIES) | tenacity.stop_before_delay(within),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=1.0),
            sleep=self._sleep,
            reraise=True,
        )
        return tries(self._once, method, url, connect, deadline, request)

    def close(self) -> None:
        """Close the connections of the calling thread."""
        self._session.close()

    def _once(
        self, method: str, url: str, connect: float, deadline: float, request: dict[str, Any]
    ) -> Answer:
        left = _left(deadline)
        try:
            response = self._session.request(
                method,
                url,
                timeout=(min(connect, left), left),
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


def _left(deadline: float) -> float:
    """Return the seconds until `deadline`; a timeout of none at all would be refused."""
    return max(0.001, deadline - time.monotonic())


def _answer(response: requests.Response, deadline: float) -> Answer:
    content = _content(response, deadline)
    try:
        body = json.loads(content, parse_float=Decimal) if content else None
    except (ValueError, ArithmeticError, RecursionError):
        # A proxy's error page is no JSON, and its status tells what happened all the same.
        if response.status_code < 300:
            raise NoAnswer(response.status_code) from None
        body = None
    return Answer(status=response.status_code, headers=response.headers, body=body)


def _content(response: requests.Response, deadline: float) -> bytes:
    """Return the whole body; raise `NoAnswer` where it is cut short or too late, or `TooLong`."""
    content = bytearray()
    try:
        _limit(response, _left(deadline))
        while chunk := response.raw.read1(65_536, decode_content=True):
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                raise TooLong(response.status_code, MAX_ANSWER_BYTES)
            if time.monotonic() > deadline:
                raise NoAnswer(response.status_code)
            _limit(response, _left(deadline))
    except (HTTPError, OSError, ValueError):
        raise NoAnswer(response.status_code) from None
    return bytes(content)


def _limit(response: requests.Response, seconds: float) -> None:
    """Let no read of the body block for longer than `seconds`, where the socket is still known."""
    connection = response.raw.connection
    if connection is not None and connection.sock is not None:
        connection.sock.settimeout(seconds)
