"""An aiohttp server that a stranger on the other side cannot hold up, fill or sound out.

A head has to be there whole within `IDLE_SECONDS`, short, and with few headers; connections are
counted; what is malformed is answered without a word, and logged nowhere.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web

from tasks.errors import SettingsError
from workers.settings import Settings

#: What we call ourselves: no versions.
NAME = "genesys-workers"

#: Seconds without a whole request until a connection is closed, and for a TLS handshake.
IDLE_SECONDS, HANDSHAKE_SECONDS = 60.0, 10.0
#: Seconds for which the rest of a body is read that was refused unread.
LINGER_SECONDS = 2.0
#: Seconds for which requests that are being answered hold up the end.
END_SECONDS = 5.0

#: Below the usual limit of open files, which the bridge needs some of itself.
MOST_CONNECTIONS = 500

_OPTIONS: Mapping[str, Any] = {
    "access_log": None,
    "keepalive_timeout": IDLE_SECONDS,
    "lingering_time": LINGER_SECONDS,
    "max_line_size": 2_048,
    "max_field_size": 4_096,
    "max_headers": 64,
    "read_bufsize": 65_536,
    # A small body must not become a large one.
    "auto_decompress": False,
}


class _Connection(web.RequestHandler):
    """A connection that tells neither its other end nor the log what was wrong with a request."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,  # noqa: ARG002  # aiohttp's call
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun")
        response = web.Response(status=status, headers={"Server": NAME})
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Say nothing: faults of ours are told where they happen."""


class _Refusal(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where to listen; every address of this machine where `host` is None."""

    host: str | None
    port: int

    @property
    def is_private(self) -> bool:
        """Whether it is reached from this machine only."""
        return self.host is not None and (self.host == "localhost" or _is_loopback(self.host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address(settings: Settings) -> Address:
    """Return where the receiver listens. Raises `SettingsError`."""
    host, _, port = settings.receiver_address.rpartition(":")
    if int(port) > 65_535:
        raise SettingsError("RECEIVER_ADDRESS: the port must be at most 65,535")
    return Address(host=host.removeprefix("[").removesuffix("]") or None, port=int(port))


def encryption(settings: Settings) -> ssl.SSLContext | None:
    """Return what the receiver speaks TLS with, None where it is to speak none.

    Raises `SettingsError` where only one file is given, or they do not go together.
    """
    certificate, private = settings.receiver_tls_cert, settings.receiver_tls_key
    if certificate is None and private is None:
        return None
    if certificate is None or private is None:
        missing = "RECEIVER_TLS_CERT" if certificate is None else "RECEIVER_TLS_KEY"
        raise SettingsError(f"{missing}: is required, as the other file is given")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, private, password=_no_password)
    except (OSError, ValueError):
        raise SettingsError(
            "RECEIVER_TLS_CERT, RECEIVER_TLS_KEY: must be PEM files of a certificate and its"
            " key, which no password protects"
        ) from None
    return context


def _no_password() -> str:
    """OpenSSL would ask for one at the terminal."""
    return ""


@asynccontextmanager
async def listening(
    app: web.Application,
    at: Address,
    context: ssl.SSLContext | None = None,
    *,
    connections: int = MOST_CONNECTIONS,
) -> AsyncIterator[int]:
    """Serve `app` in the block and give the port; at its end, what is being answered is finished.

    Raises `SettingsError` where nothing can listen there.
    """
    runner = web.AppRunner(app, shutdown_timeout=END_SECONDS)
    await runner.setup()
    manager = cast(web.Server, runner.server)
    loop = asyncio.get_running_loop()

    def connection() -> asyncio.Protocol:
        if len(manager.connections) >= connections:
            return _Refusal()
        return _Connection(manager, loop=loop, **_OPTIONS)

    try:
        tls: dict[str, Any] = {"ssl_handshake_timeout": HANDSHAKE_SECONDS} if context else {}
        try:
            server = await loop.create_server(
                connection, at.host, at.port, ssl=context, backlog=1_024, **tls
            )
        except OSError as error:
            raise SettingsError(f"RECEIVER_ADDRESS: {error.strerror}") from None
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
    finally:
        await runner.cleanup()
