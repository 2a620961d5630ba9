"""Custom fields of CXone's Digital Engagement: what may be written, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
CUSTOMERS = "/dfo/3.0/customers"
MARY = "email_mary@example.com"
NUMBER = {"ident": "number", "value": "00123"}


@pytest.fixture
def dfo_as(sandbox: SandboxHandle, send: Ask) -> Callable[..., Ask]:
    """`dfo_as(key, secret)` gives a caller that holds a token of that access key."""

    def dfo_as(key: str, secret: str) -> Ask:
        path = f"{sandbox.dfo_url}/authentication/v1/token/access-key"
        asked = send("POST", path, json={"accessKeyId": key, "accessKeySecret": secret})
        token = asked.json()["access_token"]

        def ask(method: str, path: str, **options: Any) -> requests.Response:
            headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
            headers |= options.pop("headers", {})
            return send(method, f"{sandbox.dfo_url}{path}", headers=headers, **options)

        return ask

    return dfo_as


@pytest.fixture
def dfo(dfo_as: Callable[..., Ask]) -> Ask:
    return dfo_as("sandbox-access-key", "sandbox-access-key-secret")


@pytest.fixture
def mary(sandbox: SandboxHandle) -> str:
    """The path of a customer, whose tenant has defined one field of each type."""
    for ident in sandbox.ids("cxoneDefinitions"):
        sandbox.put("cxoneDefinitions", ident, {"type": "text"})
    sandbox.put("cxoneDefinitions", "number", {"isRequired": True})
    sandbox.put("cxoneDefinitions", "mail", {"type": "email"})
    sandbox.put("cxoneDefinitions", "tier", {"type": "list", "values": ["gold", "silver"]})
    sandbox.put("cxoneCustomers", MARY, {"customFields": [NUMBER]})
    return f"{CUSTOMERS}/{quote(MARY, safe='')}"


def put(dfo: Ask, path: str, **values: object) -> requests.Response:
    fields = [{"ident": ident, "value": value} for ident, value in values.items()]
    return dfo("PUT", f"{path}/custom-fields", json=fields)


def held(sandbox: SandboxHandle, customer: str = MARY) -> dict[str, str]:
    fields = sandbox.get("cxoneCustomers", customer)["customFields"]
    return {each["ident"]: each["value"] for each in fields}


def test_fields_are_written_beside_the_others_and_read_back(
    sandbox: SandboxHandle, dfo: Ask, mary: str, clock: ManualClock
) -> None:
    clock.now = 1_800_000_000
    written = put(dfo, mary, city="Graz", tier="gold")
    assert (written.status_code, written.content) == (204, b"")
    stamp = "2027-01-15T08:00:00.000Z"
    assert dfo("GET", mary).json() == {
        "id": MARY,
        "customFields": [
            {**NUMBER, "updatedAt": "1970-01-01T00:00:00.000Z"},
            {"ident": "city", "value": "Graz", "updatedAt": stamp},
            {"ident": "tier", "value": "gold", "updatedAt": stamp},
        ],
    }
    put(dfo, mary, city="Graz", tier="silver")
    effects = sandbox.effects(kind="cxone.fields_put", subject=MARY, system="dfo")
    assert [each["detail"]["changed"] for each in effects] == [["city", "tier"], ["tier"]]
    assert [each["detail"]["lost"] for each in effects] == [[], []]
    assert "Graz" not in str(effects)
    assert len(effects[0]["detail"]["sha256"]["city"]) == 64


def test_a_put_may_replace_all_fields(sandbox: SandboxHandle, dfo: Ask, mary: str) -> None:
    put(dfo, mary, city="Graz")
    sandbox.options(dfo_put="replace")
    refused = put(dfo, mary, tier="gold")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "number")
    assert put(dfo, mary, number="1", tier="gold").status_code == 204
    assert held(sandbox) == {"number": "1", "tier": "gold"}
    assert sandbox.effects()[-1]["detail"]["lost"] == ["city"]


def test_definitions_are_listed(dfo: Ask, mary: str) -> None:
    listed = dfo("GET", f"{CUSTOMERS}/custom-field-definitions").json()
    found = {each["ident"]: each for each in listed}
    assert found["tier"] == {
        "ident": "tier",
        "label": "",
        "type": "list",
        "isRequired": False,
        "values": ["gold", "silver"],
    }
    assert found["number"]["isRequired"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("city", ""),
        ("city", "x" * 1024),
        ("city", "Ωμέγα 👋"),
        ("mail", "mary@example.com"),
        ("tier", "silver"),
    ],
)
def test_a_value_that_its_definition_allows_is_kept_as_it_is(
    sandbox: SandboxHandle, dfo: Ask, mary: str, field: str, value: str
) -> None:
    assert put(dfo, mary, **{field: value}).status_code == 204
    assert held(sandbox)[field] == value


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("city", "x" * 1025, "value.tooLong"),
        ("mail", "mary", "value.invalid"),
        ("mail", "mary@example", "value.invalid"),
        ("mail", "a@b.example c@d.example", "value.invalid"),
        ("mail", "", "value.invalid"),
        ("tier", "Gold", "value.invalid"),
        ("tier", "", "value.invalid"),
        ("number", "", "value.required"),
        ("City", "Graz", "customField.unknown"),
        ("nothing", "x", "customField.unknown"),
    ],
)
def test_a_value_against_its_definition_is_refused_with_all_the_others(
    sandbox: SandboxHandle, dfo: Ask, mary: str, field: str, value: str, code: str
) -> None:
    refused = put(dfo, mary, notes="fine", unheard="x", **{field: value})
    assert refused.status_code == 422
    found = {each["field"]: each["errorCode"] for each in refused.json()["errors"]}
    assert found == {"unheard": "customField.unknown", field: code}
    assert (held(sandbox), sandbox.effects()) == ({"number": "00123"}, [])


@pytest.mark.parametrize(
    "body",
    [
        {"ident": "city", "value": "Graz"},
        {"customFields": [{"ident": "city", "value": "Graz"}]},
        [{"ident": "city", "value": 7}],
        [{"ident": "city", "value": True}],
        [{"ident": "city", "value": None}],
        [{"ident": "city"}],
        [{"ident": "city", "value": "Graz", "type": "string"}],
        "city",
    ],
)
def test_a_body_must_be_a_bare_list_of_idents_and_strings(
    sandbox: SandboxHandle, dfo: Ask, mary: str, body: object
) -> None:
    refused = dfo("PUT", f"{mary}/custom-fields", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["errorCode"]) == (400, "bad.request")
    assert sandbox.effects() == []


def test_a_field_occurs_once(dfo: Ask, mary: str) -> None:
    twice = [{"ident": "city", "value": each} for each in ("Graz", "Lyon")]
    refused = dfo("PUT", f"{mary}/custom-fields", json=twice)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "city")


def test_unknown_fields_may_be_ignored(sandbox: SandboxHandle, dfo: Ask, mary: str) -> None:
    sandbox.options(dfo_unknown_ident="ignore")
    assert put(dfo, mary, city="Graz", nothing="x").status_code == 204
    assert held(sandbox) == {"number": "00123", "city": "Graz"}
    assert sandbox.effects()[-1]["detail"]["names"] == ["city"]


def test_an_unknown_customer_is_404_or_made(sandbox: SandboxHandle, dfo: Ask, mary: str) -> None:
    john = f"{CUSTOMERS}/john"
    assert put(dfo, john, number="1").status_code == 404
    sandbox.options(dfo_unknown_customer="create")
    assert put(dfo, john, city="Graz").status_code == 422
    assert dfo("GET", john).status_code == 404
    assert put(dfo, john, number="1").status_code == 204
    assert held(sandbox, "john") == {"number": "1"}
    assert [each["detail"]["created"] for each in sandbox.effects()] == [True]


def test_a_field_is_deleted(sandbox: SandboxHandle, dfo: Ask, mary: str) -> None:
    put(dfo, mary, city="Graz")
    assert dfo("DELETE", f"{mary}/custom-fields/city").status_code == 204
    assert held(sandbox) == {"number": "00123"}
    assert sandbox.effects()[-1]["kind"] == "cxone.field_deleted"
    assert dfo("DELETE", f"{mary}/custom-fields/city").status_code == 404
    assert dfo("DELETE", f"{mary}/custom-fields/number").status_code == 422
    assert dfo("DELETE", f"{CUSTOMERS}/john/custom-fields/city").status_code == 404
    assert held(sandbox) == {"number": "00123"}


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/xml, text/*"])
def test_json_must_be_accepted(dfo: Ask, mary: str, accept: str) -> None:
    refused = dfo("GET", mary, headers={"Accept": accept})
    assert (refused.status_code, refused.json()["errors"][0]["errorCode"]) == (
        406,
        "not.acceptable",
    )
    weighed = {"Accept": "text/html, application/json;q=0.5"}
    assert dfo("GET", mary, headers=weighed).status_code == 200


def test_an_id_must_be_percent_encoded(dfo: Ask, mary: str) -> None:
    assert dfo("GET", mary).status_code == 200
    assert dfo("GET", f"{CUSTOMERS}/{MARY}").status_code == 400


def test_ids_of_another_tenant_do_not_exist(
    sandbox: SandboxHandle, dfo_as: Callable[..., Ask], dfo: Ask
) -> None:
    acme = dfo_as("acme-access-key", "acme-access-key-secret")
    path = f"{CUSTOMERS}/{sandbox.ids('cxoneCustomers', 'acme')[0]}"
    assert [ask("GET", path).status_code for ask in (acme, dfo)] == [200, 404]
    assert dfo("DELETE", f"{path}/custom-fields/customer_number").status_code == 404


def test_a_customer_takes_a_burst_of_250_then_17_a_minute(
    sandbox: SandboxHandle, dfo: Ask, mary: str, clock: ManualClock
) -> None:
    sandbox.options(requests_per_minute=10_000)
    burst = [put(dfo, mary, city=str(number)).status_code for number in range(251)]
    assert burst == [204] * 250 + [429]
    clock.advance(60)
    minute = [put(dfo, mary, city="x").status_code for _ in range(18)]
    assert minute == [204] * 17 + [429]
    clock.advance(60 / 17 - 0.01)
    assert put(dfo, mary, city="x").status_code == 429
    clock.advance(0.02)
    assert put(dfo, mary, city="x").status_code == 204


def test_a_full_bucket_holds_no_more_than_the_burst(
    sandbox: SandboxHandle, dfo: Ask, mary: str, clock: ManualClock
) -> None:
    sandbox.options(dfo_record_burst=2, dfo_record_per_minute=60)
    put(dfo, mary, city="x")
    clock.advance(3000)
    assert [put(dfo, mary, city="x").status_code for _ in range(3)] == [204, 204, 429]


def test_a_record_without_room_says_not_how_long_and_leaves_others_and_reads_alone(
    sandbox: SandboxHandle, dfo: Ask, mary: str
) -> None:
    sandbox.options(dfo_record_burst=1)
    sandbox.put("cxoneCustomers", "john", {"customFields": [NUMBER]})
    put(dfo, mary, city="Graz")
    refused = put(dfo, mary, city="Lyon")
    assert refused.json()["errors"][0]["errorCode"] == "record.limit.exceeded"
    assert not {"Retry-After", "X-RateLimit-Remaining"} & set(refused.headers)
    assert dfo("DELETE", f"{mary}/custom-fields/city").status_code == 429
    assert held(sandbox)["city"] == "Graz"
    assert dfo("GET", mary).status_code == 200
    assert put(dfo, f"{CUSTOMERS}/john", city="Lyon").status_code == 204


def test_a_tenants_keys_share_its_budget(
    sandbox: SandboxHandle, dfo_as: Callable[..., Ask], dfo: Ask, mary: str, clock: ManualClock
) -> None:
    sandbox.options(requests_per_minute=2)
    sandbox.put_client("second", system="dfo", organization="default", secret="s")
    second = dfo_as("second", "s")
    acme = dfo_as("acme-access-key", "acme-access-key-secret")
    assert [ask("GET", mary).status_code for ask in (dfo, second)] == [200, 200]
    refused = second("GET", mary)
    assert (refused.status_code, refused.json()["errors"][0]["errorCode"]) == (
        429,
        "rate.limit.exceeded",
    )
    assert not {"Retry-After", "X-RateLimit-Remaining"} & set(refused.headers)
    assert acme("GET", f"{CUSTOMERS}/custom-field-definitions").status_code == 200
    clock.advance(60)
    assert dfo("GET", mary).status_code == 200


def test_another_writers_fields_are_laid_over_by_ident(
    sandbox: SandboxHandle, dfo: Ask, mary: str
) -> None:
    changes = {"customFields": [{"ident": "city", "value": "Lyon"}]}
    put(dfo, mary, city="Graz")
    sandbox.fault(kind="foreign_write", system="dfo", method="GET", changes=changes)
    read = dfo("GET", mary).json()["customFields"]
    assert [each["value"] for each in read] == ["00123", "Graz"]
    assert held(sandbox) == {"number": "00123", "city": "Lyon"}


def test_every_genesys_profile_and_contact_is_a_customer_with_a_number(
    sandbox: SandboxHandle, dfo: Ask
) -> None:
    for organization in ("default", "acme"):
        ids = set(sandbox.ids("cxoneCustomers", organization))
        assert set(sandbox.ids("customers", organization)) < ids
        assert any(each.startswith("email_") and "@" in each for each in ids)
    contact = sandbox.ids("contacts")[0]
    assert held(sandbox, contact)["customer_number"]
    assert put(dfo, f"{CUSTOMERS}/{contact}", loyalty_tier="gold").status_code == 204
