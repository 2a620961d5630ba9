"""Contacts of Genesys and customers of CXone: what a sync reads and writes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import requests

from workers.sandbox.testing import SandboxHandle

Ask = Callable[..., requests.Response]


def put(cxone: Ask, customer: str, *attributes: dict[str, Any]) -> requests.Response:
    path = f"/api/v2/customers/{customer}/attributes"
    return cxone("PUT", path, json={"attributes": attributes})


def one(name: str, value: object, kind: str) -> dict[str, Any]:
    return {"name": name, "value": value, "type": kind}


@pytest.fixture
def customer(sandbox: SandboxHandle) -> str:
    return sandbox.ids("contacts")[0]


def test_a_contact_is_read_with_its_attributes_only(sandbox: SandboxHandle, genesys: Ask) -> None:
    attributes = {"No.": "00123", "Balance": Decimal("12500.50"), "VIP": True}
    sandbox.put("contacts", "c", {"attributes": attributes, "internal": "x"})
    answer = genesys("GET", "/api/v2/interactions/contacts/c")
    assert answer.json() == {
        "contactId": "c",
        "attributes": {"No.": "00123", "Balance": 12500.5, "VIP": True},
    }
    assert "12500.50" in answer.text


def test_an_unknown_contact_is_404(genesys: Ask) -> None:
    answer = genesys("GET", "/api/v2/interactions/contacts/nobody")
    assert (answer.status_code, answer.json()["details"]) == (404, [{"entityId": "nobody"}])


def test_every_contact_and_profile_is_a_customer(sandbox: SandboxHandle) -> None:
    for organization in ("default", "acme"):
        customers = set(sandbox.ids("customers", organization))
        kinds = ("contacts", "profiles", "externalContacts")
        assert customers == {each for kind in kinds for each in sandbox.ids(kind, organization)}


def test_attributes_are_added_and_replaced_by_name(
    sandbox: SandboxHandle, cxone: Ask, customer: str
) -> None:
    assert put(cxone, customer, one("tier", "gold", "string"), one("age", 7, "number")).ok
    answer = put(cxone, customer, one("tier", "silver", "string"), one("vip", True, "boolean"))
    assert answer.json() == {"customerId": customer, "updated": 2}
    read = cxone("GET", f"/api/v2/customers/{customer}/attributes").json()
    assert read == {
        "customerId": customer,
        "attributes": [
            one("tier", "silver", "string"),
            one("age", 7, "number"),
            one("vip", True, "boolean"),
        ],
    }
    assert [each["detail"]["changed"] for each in sandbox.effects(kind="customer.attributes")] == [
        ["age", "tier"],
        ["tier", "vip"],
    ]


@pytest.mark.parametrize("digits", ["12500.50", "0.1", "-3.00", "12345678901234567890.123456789"])
def test_decimals_keep_their_digits(
    sandbox: SandboxHandle, cxone: Ask, customer: str, digits: str
) -> None:
    path = f"/api/v2/customers/{customer}/attributes"
    body = f'{{"attributes":[{{"name":"n","value":{digits},"type":"number"}}]}}'
    headers = {"Content-Type": "application/json"}
    assert cxone("PUT", path, data=body, headers=headers).status_code == 200
    assert f'"value":{digits},' in cxone("GET", path).text
    assert str(sandbox.get("customers", customer)["attributes"]["n"]["value"]) == digits


@pytest.mark.parametrize(
    "attribute",
    [
        one("a", "", "string"),
        one("a", "x" * 1024, "string"),
        one("a", 0, "number"),
        one("a", 1.5, "number"),
        one("a", False, "boolean"),
        one("a", "2024-02-29", "date"),
        one("a", "2024-02-29T10:00", "date"),
        one("a", "2024-02-29T10:00:00Z", "date"),
        one("a", "2024-02-29T10:00:00.123+02:00", "date"),
        one("a", "2024-02-29T10:00:00.123456789Z", "date"),
    ],
)
def test_a_value_that_agrees_with_its_type_is_taken(
    cxone: Ask, customer: str, attribute: dict[str, Any]
) -> None:
    assert put(cxone, customer, attribute).status_code == 200


@pytest.mark.parametrize(
    "attribute",
    [
        one("a", 1, "string"),
        one("a", True, "string"),
        one("a", None, "string"),
        one("a", {}, "string"),
        one("a", "x" * 1025, "string"),
        one("a", "1", "number"),
        one("a", True, "number"),
        one("a", "true", "boolean"),
        one("a", 1, "boolean"),
        one("a", "2024-02-30", "date"),
        one("a", "2024-02-29T10:00:00.1234567890Z", "date"),
        one("a", "29.02.2024", "date"),
        one("a", "20240229", "date"),
        one("a", "2024-W09-4", "date"),
        one("a", 20240229, "date"),
        one("a", "x", "text"),
        one("a", "x", "String"),
        one("", "x", "string"),
        one(" ", "x", "string"),
    ],
)
def test_a_value_that_contradicts_its_type_is_422_and_changes_nothing(
    sandbox: SandboxHandle, cxone: Ask, customer: str, attribute: dict[str, Any]
) -> None:
    answer = put(cxone, customer, one("fine", "x", "string"), attribute)
    assert answer.status_code == 422
    assert answer.json()["errorDescription"]
    assert sandbox.get("customers", customer)["attributes"] == {}
    assert sandbox.effects() == []


def test_names_are_unique_and_at_most_256(cxone: Ask, customer: str) -> None:
    twice = [one("a", "x", "string"), one("a", "y", "string")]
    assert put(cxone, customer, *twice).status_code == 422
    many = [one(f"a{i}", "x", "string") for i in range(257)]
    assert put(cxone, customer, *many).status_code == 422
    assert put(cxone, customer, *many[:256]).status_code == 200
    assert put(cxone, customer).status_code == 422


def test_an_attribute_has_no_other_fields(cxone: Ask, customer: str) -> None:
    extra = {**one("a", "x", "string"), "label": "A"}
    assert put(cxone, customer, extra).status_code == 400
    assert put(cxone, customer, {"name": "a", "value": "x"}).status_code == 400


def test_an_unknown_customer_is_404(cxone: Ask) -> None:
    assert put(cxone, "nobody", one("a", "x", "string")).status_code == 404
    assert cxone("GET", "/api/v2/customers/nobody/attributes").status_code == 404


def test_an_id_may_be_percent_encoded(sandbox: SandboxHandle, cxone: Ask) -> None:
    sandbox.put("customers", "email_a/b@example.com", {})
    path = "/api/v2/customers/email_a%2Fb%40example.com/attributes"
    body = {"attributes": [one("a", "x", "string")]}
    assert cxone("PUT", path, json=body).status_code == 200


def test_an_effect_holds_no_values(sandbox: SandboxHandle, cxone: Ask, customer: str) -> None:
    put(cxone, customer, one("phone", "+1 555 0100", "string"))
    [effect] = sandbox.effects(kind="customer.attributes", subject=customer)
    assert effect["system"] == "cxone"
    assert effect["detail"]["names"] == ["phone"]
    assert len(effect["detail"]["sha256"]["phone"]) == 64
    assert "555" not in str({**effect, "detail": {**effect["detail"], "sha256": {}}})
