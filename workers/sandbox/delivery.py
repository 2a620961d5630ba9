"""Sending an answer, or failing to."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping

from aiohttp import web

#: SO_LINGER with no time: closing sends a reset instead of an orderly end.
_NO_LINGER = struct.pack("ii", 1, 0)
_DROPS = 10


def reset(request: web.Request) -> web.Response:
    """Reset the connection. The response is for aiohttp, which finds nobody to send it to."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()
    return web.Response()


async def send_slowly(
    request: web.Request, status: int, headers: Mapping[str, str], body: bytes, seconds: float
) -> web.StreamResponse:
    """Send the headers at once and the body in ten drops over `seconds`."""
    response = await _begin(request, status, headers, body)
    size = max(1, -(-len(body) // _DROPS))
    for start in range(0, len(body), size):
        await asyncio.sleep(seconds / _DROPS)
        await response.write(body[start : start + size])
    await response.write_eof()
    return response


async def send_half(
    request: web.Request, status: int, headers: Mapping[str, str], body: bytes
) -> web.StreamResponse:
    """Announce the whole body, send half of it and close the connection."""
    response = await _begin(request, status, headers, body)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _begin(
    request: web.Request, status: int, headers: Mapping[str, str], body: bytes
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(body)
    await response.prepare(request)
    return response
