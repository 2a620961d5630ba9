"""Calls to one outside system: admitted, authenticated, answered or explained.

`Http.call` is the only place where requests leave the project. It adds the token (or key) and the
correlation id, renews a refused token once, and turns every answer that is no success into the
`ApiError` that says what it means.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import ValidationError
from requests.auth import AuthBase

from tasks.apis import answers
from tasks.apis.calls import Answer, Call, CallLog, Gate, Timeouts
from tasks.apis.dialects import GUIDE, Dialect
from tasks.apis.tokens import Anonymous, ApiKey, Grant, Token, TokenStore
from tasks.apis.wire import Basic, Bearer, KeyHeader, NoAnswer, NoAuth, NotSent, TooLong, Wire
from tasks.compact_json import compact_json

JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where one outside system of a tenant is reached, and how the client is authenticated.

    `owner` names the token in the store: unique per tenant, system and client. `token_route` is
    what messages and logs call the path of `token_url`.
    """

    system: str
    api_url: str
    token_url: str = ""
    token_route: str = "/oauth/token"  # noqa: S105  # a path
    owner: str
    grant: Grant | ApiKey | Anonymous = field(repr=False)
    timeouts: Timeouts = Timeouts()
    dialect: Dialect = field(default=GUIDE, repr=False)


@dataclass(frozen=True, kw_only=True)
class Http:
    """Calls one outside system on behalf of one attempt of an operation."""

    endpoint: Endpoint
    tokens: TokenStore
    gate: Gate
    log: CallLog
    correlation_id: str
    wire: Wire = field(repr=False)
    clock: Callable[[], float] = time.time
    _kept: list[str] = field(default_factory=list, repr=False)

    def call(self, call: Call) -> Answer:
        """Send `call` and return its 2xx (or allowed) answer.

        Raises the `ApiError` of any other answer, `Unauthenticated` where no token is given,
        `OutcomeUnknown` where no answer arrived in time, and `Postponed` where the gate is closed.
        """
        match self.endpoint.grant:
            case ApiKey(value=key):
                return self._expected(call, self._exchange(call, KeyHeader(key)))
            case Anonymous():
                return self._expected(call, self._exchange(call, NoAuth()))
            case grant:
                return self._expected(call, self._with_token(call, grant))

    def _with_token(self, call: Call, grant: Grant) -> Answer:
        """Send `call` with the token, and once more with another where that one is refused."""
        token = self._token(grant)
        answer = self._exchange(call, Bearer(token))
        if answer.status == 401:
            answer = self._exchange(call, Bearer(self._token(grant, refused=token)))
        return answer

    def _token(self, grant: Grant, refused: str | None = None) -> str:
        """Return the token, which one attempt keeps until it is refused."""
        if refused or not self._kept:
            fetch = partial(self._fetch_token, grant)
            self._kept[:] = [self.tokens.obtain(self.endpoint.owner, fetch, refused=refused)]
        return self._kept[0]

    def _fetch_token(self, grant: Grant) -> Token:
        call = Call(
            method="POST",
            route=self.endpoint.token_route,
            needs="its grant allowed",
            kind="token",
        )
        basic = grant.basic()
        auth = Basic(*basic) if basic else NoAuth()
        headers = dict.fromkeys(self.endpoint.dialect.correlation, self.correlation_id)
        headers |= {"Accept": JSON, **({"Content-Type": JSON} if grant.as_json else {})}
        data = compact_json(grant.form()) if grant.as_json else dict(grant.form())
        answer = self._timed(call, self.endpoint.token_url, data=data, headers=headers, auth=auth)
        if not 200 <= answer.status < 300:
            raise answers.explain_token(
                self.endpoint.system, call, answer, self.clock(), self.endpoint.dialect
            )
        try:
            return Token.parse(answer.body)
        except ValidationError:
            raise answers.unknown(self.endpoint.system, call, answer.status) from None

    def _exchange(self, call: Call, auth: AuthBase) -> Answer:
        dialect = self.endpoint.dialect
        headers = dict.fromkeys(dialect.correlation, self.correlation_id)
        headers["Accept"] = JSON
        request: dict[str, Any] = {"params": call.query, "auth": auth}
        if call.body is not None:
            headers["Content-Type"] = JSON
            request["data"] = compact_json(call.body)
        self.gate.enter()
        request["headers"] = {**headers, **call.headers}
        answer = self._timed(call, self.endpoint.api_url + call.path, **request)
        self.gate.settle(dialect.allowance(answer.headers))
        return answer

    def _timed(self, call: Call, url: str, **request: Any) -> Answer:
        timeouts = self.endpoint.timeouts
        within = timeouts.of(call.kind)
        self.log.sending(call, within=within)
        status, reference = None, ""
        started = time.monotonic()
        try:
            answer = self.wire.exchange(
                call.method, url, connect=timeouts.connect, within=within, **request
            )
            status = answer.status
            reference = _reference(answer.headers.get(self.endpoint.dialect.reference, ""))
            return answer
        except NotSent:
            raise answers.unreachable(self.endpoint.system, call) from None
        except NoAnswer as error:
            status = error.status
            raise answers.unknown(self.endpoint.system, call, status) from None
        except TooLong as error:
            status = error.status
            raise answers.too_large(self.endpoint.system, call, status, error.limit) from None
        finally:
            seconds = time.monotonic() - started
            self.log.answered(call, status=status, seconds=seconds, reference=reference)

    def _expected(self, call: Call, answer: Answer) -> Answer:
        if 200 <= answer.status < 300 or answer.status in call.allowed:
            return answer
        raise answers.explain(
            self.endpoint.system, call, answer, self.clock(), self.endpoint.dialect
        )


def _reference(value: str) -> str:
    """Return a server's id of an exchange where it can be nothing else."""
    return value if re.fullmatch(r"[A-Za-z0-9-]{1,64}", value) else ""
