"""Opening a WebSocket where a channel says: encrypted, verified, and by the proxy that calls use.

A channel's address is all that is needed to listen, so that no text here holds one.
"""

from __future__ import annotations

import asyncio
import time
from ipaddress import ip_address
from ssl import SSLContext
from urllib.parse import urlsplit

import aiohttp
from requests.utils import get_environ_proxies, select_proxy

from tasks.apis import retry_after
from tasks.errors import WorkerError

#: The longest frame that is read; a longer one ends its connection, as the protocol has it. What is
#: only too large for an event does not.
LONGEST_FRAME = 4 * 1024 * 1024

#: Seconds to connect within, and to say goodbye within.
CONNECT_SECONDS = 15.0
CLOSE_SECONDS = 2.0


class NotConnected(WorkerError):
    """Raised where a WebSocket could not be opened.

    `status` is the answer's, if there was one, and `retry_after` the seconds it asks to wait.
    """

    def __init__(
        self, reason: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(reason, status, retry_after)
        self.reason = reason
        self.status = status
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"no WebSocket: {self.reason}"


async def dial(
    uri: str, tls: SSLContext | bool = True
) -> tuple[aiohttp.ClientSession, aiohttp.ClientWebSocketResponse]:
    """Open a WebSocket at `uri`; whoever gets it closes both. Raises `NotConnected`."""
    proxy = proxy_for(checked(uri))
    session = aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), middlewares=(_without_redirects,)
    )
    try:
        return session, await _open(session, uri, proxy, tls)
    except BaseException:
        await session.close()
        raise


def checked(uri: str) -> str:
    """Return the host of a channel's address, "" for this machine.

    Raises `NotConnected` for one that is not encrypted, unless it is on this machine.
    """
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        raise NotConnected("its address is none") from None
    if parts.scheme == "wss" and host and parts.username is None:
        return host
    if parts.scheme == "ws" and _is_loopback(host):
        return ""
    raise NotConnected("its address must begin with wss://")


def proxy_for(host: str) -> str | None:
    """Return the proxy by which calls to `host` go, None without one."""
    url = f"https://{host}"
    return select_proxy(url, get_environ_proxies(url, None)) if host else None


async def _open(
    session: aiohttp.ClientSession, uri: str, proxy: str | None, tls: SSLContext | bool
) -> aiohttp.ClientWebSocketResponse:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await session.ws_connect(
                uri,
                proxy=proxy,
                ssl=tls,
                max_msg_size=LONGEST_FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
            )
    except aiohttp.WSServerHandshakeError as error:
        told = error.headers.get("Retry-After") if error.headers else None
        raise NotConnected(
            f"answered {error.status}",
            status=error.status,
            retry_after=retry_after.parse(told, time.time()),
        ) from None
    except aiohttp.ClientSSLError:
        raise NotConnected("its certificate is not trusted") from None
    except TimeoutError:
        raise NotConnected("no answer in time") from None
    except (aiohttp.ClientError, OSError, ValueError):
        raise NotConnected("no connection") from None


async def _without_redirects(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Follow no redirect: it may lead anywhere, and unencrypted."""
    response = await handler(request)
    if 300 <= response.status < 400:
        response.close()
        raise NotConnected("redirected", status=response.status)
    return response


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
