"""The guide contract's client towards a sandbox, without a budget or a shared token store."""

from __future__ import annotations

from collections.abc import Callable

from tasks.apis.calls import Allowance, Call
from tasks.apis.genesys_guide import GenesysGuide
from tasks.apis.http import Endpoint, Http
from tasks.apis.tokens import ClientCredentials, Token
from tasks.apis.wire import Wire
from workers.sandbox.testing import SandboxHandle


class OneToken:
    """Keeps one token."""

    def __init__(self) -> None:
        self._token: Token | None = None

    def obtain(
        self,
        client: str,  # noqa: ARG002  # there is one client only
        fetch: Callable[[], Token],
        *,
        refused: str | None = None,
    ) -> str:
        if self._token is None or self._token.value == refused:
            self._token = fetch()
        return self._token.value


class OpenGate:
    """Admits every call."""

    def enter(self) -> None: ...

    def settle(self, allowance: Allowance) -> None: ...


class NoLog:
    """Writes nothing down."""

    def sending(self, call: Call, *, within: float) -> None: ...

    def answered(
        self, call: Call, *, status: int | None, seconds: float, reference: str
    ) -> None: ...


def connect(sandbox: SandboxHandle) -> GenesysGuide:
    """Return a client of the sandbox's organisation `default`."""
    endpoint = Endpoint(
        system="genesys",
        api_url=sandbox.genesys_url,
        token_url=f"{sandbox.genesys_url}/oauth/token",
        owner="test",
        grant=ClientCredentials(client_id="sandbox-client", client_secret="sandbox-secret"),
    )
    http = Http(
        endpoint=endpoint,
        tokens=OneToken(),
        gate=OpenGate(),
        log=NoLog(),
        correlation_id="test",
        wire=Wire(),
    )
    return GenesysGuide(http=http)
