"""What an `Http` needs besides the wire, as small and real as it gets: tokens, gate, log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.apis.calls import Allowance, Call, Timeouts
from tasks.apis.dialects import GUIDE, Dialect
from tasks.apis.http import Endpoint, Http
from tasks.apis.tokens import ApiKey, ClientCredentials, Grant, Token
from tasks.apis.wire import Wire
from tasks.errors import WorkerError

SECRET = "the-client-secret"


@dataclass(kw_only=True)
class TokensInMemory:
    """A token store of one process."""

    tokens: dict[str, str] = field(default_factory=dict)

    def obtain(self, client: str, fetch: Callable[[], Token], *, refused: str | None = None) -> str:
        if self.tokens.get(client) in (None, refused):
            self.tokens[client] = fetch().value
        return self.tokens[client]


@dataclass(kw_only=True)
class OpenGate:
    """Lets every call through, unless it is `closed` by an error; keeps what it is told."""

    closed: WorkerError | None = None
    entered: int = 0
    told: list[Allowance] = field(default_factory=list)

    def enter(self) -> None:
        if self.closed:
            raise self.closed
        self.entered += 1

    def settle(self, allowance: Allowance) -> None:
        self.told.append(allowance)


@dataclass(kw_only=True)
class Exchanges:
    """A call log: what was about to be sent and what came back."""

    sent: list[tuple[str, float]] = field(default_factory=list)
    answers: list[tuple[str, int | None]] = field(default_factory=list)
    references: list[str] = field(default_factory=list)

    def sending(self, call: Call, *, within: float) -> None:
        self.sent.append((call.route, within))

    def answered(self, call: Call, *, status: int | None, seconds: float, reference: str) -> None:
        assert seconds >= 0
        self.answers.append((call.route, status))
        self.references.append(reference)


def http(
    url: str,
    *,
    system: str = "genesys",
    token_url: str = "",
    grant: Grant | ApiKey | None = None,
    timeouts: Timeouts | None = None,
    wire: Wire | None = None,
    gate: OpenGate | None = None,
    log: Exchanges | None = None,
    tokens: TokensInMemory | None = None,
    dialect: Dialect = GUIDE,
) -> Http:
    """Return an `Http` towards `url` with these parts, or with fresh ones."""
    return Http(
        endpoint=Endpoint(
            system=system,
            api_url=url,
            token_url=token_url or f"{url}/oauth/token",
            owner="default:genesys:client",
            grant=grant or ClientCredentials(client_id="client", client_secret=SECRET),
            timeouts=timeouts or Timeouts(),
            dialect=dialect,
        ),
        tokens=tokens or TokensInMemory(),
        gate=gate or OpenGate(),
        log=log or Exchanges(),
        correlation_id="corr-1",
        wire=wire or Wire(),
    )
