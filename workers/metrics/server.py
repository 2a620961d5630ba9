"""The server that Prometheus scrapes: one address, the same answer on every path."""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    make_wsgi_app,
)
from prometheus_client.registry import Collector

from tasks.errors import SettingsError
from workers.metrics.address import Address
from workers.watching.telemetry import describe, log

#: Seconds after which a client that says nothing is left.
PATIENCE = 10


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without asking the DNS for the host's name, as Python's own does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]  # a pair for IPv4
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that have gone."""


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # Python's signature
        """Say nothing of scrapes."""

    def get_stderr(self) -> Any:
        """Return where Python's server shows tracebacks: the log has what may be said."""
        return io.StringIO()


def registry_of(*collectors: Collector) -> CollectorRegistry:
    """Return what is shown: what `collectors` tell, and memory and processor of this process."""
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    for own in (ProcessCollector, PlatformCollector, GCCollector):
        own(registry=registry)
    return registry


def serve(address: Address, collectors: Iterable[Collector]) -> WSGIServer:
    """Show what `collectors` tell, by a thread that ends with the process.

    Raises `SettingsError` where the address is taken, or none of this machine.
    """
    shown = _logged(make_wsgi_app(registry_of(*collectors)))
    try:
        server = make_server(address.host, address.port, shown, _of_family(address), _Handler)
    except OSError as error:
        raise SettingsError(f"METRICS_ADDRESS: {_refusal(address, error)}") from None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def _logged(app: Callable[..., Any]) -> Callable[..., Any]:
    def answer(environ: Any, start_response: Any) -> Any:
        try:
            return app(environ, start_response)
        except Exception as error:
            log.error("metrics.failed", error=describe(error))
            raise

    return answer


def bound(server: WSGIServer) -> Address:
    """Return where `server` listens."""
    host, port = server.server_address[:2]
    return Address(host=str(host), port=int(port))


def _of_family(address: Address) -> type[_Server]:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    return type("_FamilyServer", (_Server,), {"address_family": family})


def _refusal(address: Address, error: OSError) -> str:
    known = error.errno is not None and not isinstance(error, socket.gaierror)
    rule = os.strerror(error.errno) if known and error.errno else str(error.strerror)
    return f"cannot listen on {address}: {rule}; each process of a host needs a port of its own"
