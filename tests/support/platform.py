"""Clients of the Platform API towards a sandbox, without a budget or a shared token store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import time

from tasks.apis.dialects import PLATFORM
from tasks.apis.http import Endpoint, Http
from tasks.apis.tokens import ClientCredentials
from tests.support.guide import NoLog, OneToken, OpenGate
from tests.support.swagger import CheckedWire
from workers.sandbox.testing import SandboxHandle


def connect(sandbox: SandboxHandle, clock: Callable[[], float] = time) -> Http:
    """Return a client of the organisation `default`.

    Its `wire` is a `CheckedWire`, which notes what the vendor's document says against an exchange.
    """
    endpoint = Endpoint(
        system="genesys",
        api_url=sandbox.platform_url,
        token_url=f"{sandbox.platform_url}/oauth/token",
        owner="test",
        grant=ClientCredentials(client_id="platform-client", client_secret="platform-secret"),
        dialect=PLATFORM,
    )
    return Http(
        endpoint=endpoint,
        tokens=OneToken(),
        gate=OpenGate(),
        log=NoLog(),
        correlation_id="test",
        wire=CheckedWire(sandbox.platform_url),
        clock=clock,
    )


@contextmanager
def checked(http: Http) -> Iterator[Http]:
    """Assert at the end that the vendor's document has nothing against any exchange."""
    yield http
    assert isinstance(http.wire, CheckedWire)
    assert http.wire.problems == []
