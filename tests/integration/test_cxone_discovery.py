"""Where a CXone tenant's APIs are: the vendor's discovery document, read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tasks import errors
from tasks.apis.cxone.access_key import AccessKey
from tasks.apis.cxone.discovery import LIFE, Discovery, Hosts
from tasks.apis.http import Http
from tasks.apis.remembered import Remembered
from tests.integration.outside import Outside, answer
from tests.integration.outside import running as running_outside
from tests.integration.seams import OpenGate, http
from workers.sandbox.testing import SandboxHandle

KEY = AccessKey(key_id="key", key_secret="canary-secret")
DOCUMENT = {"area": "eu1", "domain": "niceincontact.com", "cluster": "B32", "tenantId": "t"}


@pytest.fixture
def outside() -> Iterator[Outside]:
    with running_outside() as running:
        running.behaviours = [answer(body=DOCUMENT)]
        yield running


def unlocated(gate: OpenGate | None = None, **urls: Any) -> Http:
    made = http("", system="cxone", grant=KEY, gate=gate)
    return replace(made, endpoint=replace(made.endpoint, **{"token_url": "", **urls}))


def discovery(url: str, **parts: Any) -> Discovery:
    return Discovery(
        **{"tenant_id": "a tenant", "url": url, "remembered": Remembered(life=LIFE), **parts}
    )


def test_the_hosts_are_made_of_area_and_domain(outside: Outside) -> None:
    endpoint = discovery(outside.url).located(unlocated()).endpoint
    assert endpoint.api_url == "https://api-de-eu1.niceincontact.com"
    assert endpoint.token_url == (
        "https://eu1.nice-incontact.com/authentication/v1/token/access-key"
    )
    assert endpoint.grant is KEY


def test_discovery_asks_without_credentials_and_for_json(outside: Outside) -> None:
    discovery(outside.url).located(unlocated())
    (request,) = outside.requests
    assert request.target == "/.well-known/cxone-configuration?tenantId=a+tenant"
    assert request.headers["accept"] == "application/json"
    assert request.headers.keys().isdisjoint({"authorization", "x-api-key"})
    assert outside.token_requests == []


def test_a_tenant_is_discovered_once_in_a_life(outside: Outside) -> None:
    now = [0.0]
    remembered: Remembered[Hosts] = Remembered(life=LIFE, clock=lambda: now[0])
    for moment, asked in ((0.0, 1), (LIFE - 1, 1), (LIFE, 2)):
        now[0] = moment
        discovery(outside.url, remembered=remembered).located(unlocated())
        assert len(outside.requests) == asked
    discovery(outside.url, remembered=remembered, tenant_id="another").located(unlocated())
    assert len(outside.requests) == 3


@pytest.mark.parametrize(
    ("urls", "expected", "asked"),
    [
        (
            {"api_url": "https://api.example"},
            ("https://api.example", "https://eu1.nice-incontact.com"),
            1,
        ),
        (
            {"token_url": "https://login.example/auth/token"},
            ("https://api-de-eu1.niceincontact.com", "https://login.example"),
            1,
        ),
        (
            {"api_url": "https://api.example", "token_url": "https://login.example/auth/token"},
            ("https://api.example", "https://login.example"),
            0,
        ),
    ],
)
def test_a_url_of_the_settings_comes_first(
    outside: Outside, urls: dict[str, Any], expected: tuple[str, str], asked: int
) -> None:
    endpoint = discovery(outside.url).located(unlocated(**urls)).endpoint
    assert endpoint.api_url == expected[0]
    assert endpoint.token_url.startswith(expected[1])
    assert len(outside.requests) == asked


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"area": "eu1"},
        {"area": "eu1", "domain": "localhost"},
        {"area": "eu1", "domain": "evil.example/path?"},
        {"area": "eu1", "domain": "user@evil.example"},
        {"area": "eu1.evil.example/", "domain": "niceincontact.com"},
        {"area": "EU1", "domain": "niceincontact.com"},
        {"area": "eu1\n", "domain": "niceincontact.com"},
        {"area": "", "domain": "niceincontact.com"},
        [],
    ],
)
def test_a_document_that_names_no_host_is_not_followed(outside: Outside, document: object) -> None:
    outside.behaviours = [answer(body=document)]
    with pytest.raises(errors.OutcomeUnknown):
        discovery(outside.url).located(unlocated())


def test_a_closed_gate_keeps_discovery_back_too(outside: Outside) -> None:
    closed = OpenGate(closed=errors.Postponed("is paused", 1.0))
    with pytest.raises(errors.Postponed):
        discovery(outside.url).located(unlocated(gate=closed))
    assert outside.requests == []


def test_the_sandbox_knows_its_tenants(sandbox: SandboxHandle) -> None:
    found = discovery(sandbox.dfo_url, tenant_id="default").located(unlocated())
    assert found.endpoint.api_url == "https://api-de-na1.niceincontact.com"
    with pytest.raises(errors.BadRequest, match="check tenant_id"):
        discovery(sandbox.dfo_url, tenant_id="nobody").located(unlocated())
