"""A sandbox on a hand-set clock, and callers of its systems."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.swagger import DOCUMENT, swagger
from workers.sandbox.testing import ManualClock, SandboxHandle, running

#: `ask(method, path, …)` sends a request and gives the response; options as in requests.
Ask = Callable[..., requests.Response]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sandbox(clock: ManualClock) -> Iterator[SandboxHandle]:
    with running(clock=clock) as handle:
        yield handle


@pytest.fixture
def send() -> Iterator[Ask]:
    """Sends to whole URLs, without tokens and without the environment's proxies."""
    with requests.Session() as session:
        session.trust_env = False

        def send(method: str, url: str, **options: Any) -> requests.Response:
            return session.request(method, url, timeout=10, **options)

        yield send


@pytest.fixture
def ask_as(sandbox: SandboxHandle, send: Ask) -> Callable[..., Ask]:
    """`ask_as(client_id, secret, scope?)` gives a caller that holds a token of that client."""

    def ask_as(client_id: str, secret: str, scope: str = "") -> Ask:
        system = {each["client_id"]: each["system"] for each in sandbox.clients()}[client_id]
        form = {"grant_type": "client_credentials", "scope": scope}
        url = f"{sandbox.url}/{system}"
        granted = send("POST", f"{url}/oauth/token", data=form, auth=(client_id, secret))
        token = granted.json()["access_token"]

        def ask(method: str, path: str, **options: Any) -> requests.Response:
            headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
            return send(method, f"{url}{path}", headers=headers, **options)

        return ask

    return ask_as


@pytest.fixture
def genesys(ask_as: Callable[..., Ask]) -> Ask:
    return ask_as("sandbox-client", "sandbox-secret")


@pytest.fixture
def cxone(ask_as: Callable[..., Ask]) -> Ask:
    return ask_as("sandbox-cxone", "sandbox-cxone-secret")


@pytest.fixture
def platform(ask_as: Callable[..., Ask]) -> Ask:
    """Asks the Platform API; the vendor's document, where it is here, judges every answer."""
    ask = ask_as("platform-client", "platform-secret")
    document = swagger() if DOCUMENT.exists() else None

    def judged(method: str, path: str, **options: Any) -> requests.Response:
        answer = ask(method, path, **options)
        body = answer.json() if answer.content else None
        if document is not None:
            template = urlsplit(path).path
            assert document.problems_of_answer(method, template, answer.status_code, body) == []
        return answer

    return judged
