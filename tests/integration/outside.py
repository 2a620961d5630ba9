"""An outside system on a real socket that behaves as badly as a test asks it to.

Every request to `/oauth/token` is answered with the next token (`token-1`, `token-2`, …); any other
with the next of the behaviours given, the last of which stays. A behaviour writes to the connection
and returns whether it can be used again.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

Behaviour = Callable[[socket.socket], bool]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came over the wire; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def answer(
    status: int = 200, body: object = None, headers: Mapping[str, str] | None = None
) -> Behaviour:
    """Answer with `body`: bytes as they are, anything else as JSON, None as no body."""
    content = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )

    def behave(connection: socket.socket) -> bool:
        connection.sendall(_head(status, {**(headers or {}), "Content-Length": len(content)}))
        connection.sendall(content)
        return True

    return behave


def reset(connection: socket.socket) -> bool:
    """Reset the connection without an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def truncate(connection: socket.socket) -> bool:
    """Announce more than is sent, and close."""
    connection.sendall(_head(200, {"Content-Length": 1_000}) + b'{"a":')
    return False


@dataclass(kw_only=True)
class Outside:
    """The running system: what it was asked, and what it does next."""

    behaviours: list[Behaviour] = field(default_factory=lambda: [answer(body={})])
    token_behaviour: Behaviour | None = None
    requests: list[Request] = field(default_factory=list)
    token_requests: list[Request] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def hang(self, connection: socket.socket) -> bool:
        """Never answer."""
        del connection
        self.stopping.wait()
        return False

    def late(self, seconds: float) -> Behaviour:
        """Begin an answer after `seconds`, and never end it."""

        def behave(connection: socket.socket) -> bool:
            self.stopping.wait(seconds)
            connection.sendall(_head(200, {"Content-Length": 1_000}) + b"{")
            return self.hang(connection)

        return behave

    def drip(self, headers: Mapping[str, str]) -> Behaviour:
        """Send the body byte by byte, for five seconds."""

        def behave(connection: socket.socket) -> bool:
            connection.sendall(_head(200, {"Content-Length": 250, **headers}))
            for _ in range(250):
                self.stopping.wait(0.02)
                connection.sendall(b" ")
            return False

        return behave

    def serve(self) -> None:
        while not self.stopping.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self.listener.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            usable = True
            while usable and (line := stream.readline()):
                method, target, _ = line.decode().split(" ", 2)
                headers = dict(iter(lambda: _header(stream.readline()), ("", "")))
                body = stream.read(int(headers.get("content-length", 0)))
                request = Request(method=method, target=target, headers=headers, body=body)
                usable = self._behaviour(request)(connection)

    def _behaviour(self, request: Request) -> Behaviour:
        if request.target == "/oauth/token":
            self.token_requests.append(request)
            token = {"access_token": f"token-{len(self.token_requests)}", "expires_in": 3600}
            return self.token_behaviour or answer(body=token)
        self.requests.append(request)
        return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]


@contextlib.contextmanager
def running() -> Iterator[Outside]:
    """Run an outside system on a free port of 127.0.0.1 while the context is open."""
    outside = Outside()
    thread = threading.Thread(target=outside.serve, daemon=True)
    thread.start()
    try:
        yield outside
    finally:
        outside.stopping.set()
        outside.listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        outside.listener.close()


def _head(status: int, headers: Mapping[str, object]) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _header(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode("latin-1").partition(":")
    return name.strip().lower(), value.strip()
