"""External contacts: reading, resolved and not, writing, custom fields, finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
EXTERNAL = "/api/v2/externalcontacts"
CONTACTS = f"{EXTERNAL}/contacts"


@pytest.fixture
def plain(sandbox: SandboxHandle) -> str:
    """Id of a seeded contact that was never merged."""
    return sandbox.ids("externalContacts")[0]


@pytest.fixture
def merged(sandbox: SandboxHandle) -> dict[str, Any]:
    """A seeded contact that is the outcome of a merge."""
    held = (sandbox.get("externalContacts", each) for each in sandbox.ids("externalContacts"))
    return next(each for each in held if "mergedFrom" in each)


def test_a_merged_contact_is_read_as_what_it_became_or_as_it_is(
    platform: Ask, merged: dict[str, Any]
) -> None:
    for source in (each["id"] for each in merged["mergedFrom"]):
        assert platform("GET", f"{CONTACTS}/{source}").json()["id"] == merged["id"]
        itself = platform("GET", f"{CONTACTS}/{source}/unresolved").json()
        assert (itself["id"], itself["mergedTo"]["id"]) == (source, merged["id"])
        assert itself["canonicalContact"]["id"] == merged["id"]
        assert itself["mergeSet"] == merged["mergeSet"]


def test_seeds_have_guests_customers_and_contacts_of_two_divisions(sandbox: SandboxHandle) -> None:
    for organization in ("default", "acme"):
        ids = sandbox.ids("externalContacts", organization)
        held = [sandbox.get("externalContacts", each, organization) for each in ids]
        assert {each["type"] for each in held} == {"Ephemeral", "Identified", "Curated"}
        assert len({each["division"]["id"] for each in held}) == 2
        assert sum("mergedTo" in each for each in held) >= 4


def test_a_contact_of_another_organization_does_not_exist(
    ask_as: Callable[..., Ask], plain: str
) -> None:
    acme = ask_as("acme-platform", "acme-platform-secret")
    assert acme("GET", f"{CONTACTS}/{plain}").status_code == 404


def test_expansions_are_given_where_they_are_asked_for(platform: Ask, plain: str) -> None:
    bare = platform("GET", f"{CONTACTS}/{plain}").json()
    assert "name" not in bare["division"]
    assert "identifiers" not in bare
    for asked in (["division", "identifiers"], "division,identifiers"):
        full = platform("GET", f"{CONTACTS}/{plain}", params={"expand": asked}).json()
        assert full["division"]["name"] == "Home"
        emails = [each["value"] for each in full["identifiers"] if each["type"] == "Email"]
        assert emails == [bare["personalEmail"]]
    refused = platform("GET", f"{CONTACTS}/{plain}", params={"expand": "everything"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid.query.param.value")


def test_a_whole_object_may_be_sent_back_and_changes_nothing_but_its_date(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, merged: dict[str, Any]
) -> None:
    before = platform("GET", f"{CONTACTS}/{merged['id']}").json()
    clock.advance(1)
    assert platform("PUT", f"{CONTACTS}/{merged['id']}", json=before).status_code == 200
    after = sandbox.get("externalContacts", merged["id"])
    merged["cellPhone"]["userInput"] = merged["cellPhone"]["display"]
    assert after | {"modifyDate": ""} == merged | {"modifyDate": ""}
    assert after["modifyDate"] > merged["modifyDate"]


def test_a_put_takes_away_what_it_leaves_out_of_the_canonical_contact(
    sandbox: SandboxHandle, platform: Ask, merged: dict[str, Any]
) -> None:
    source = merged["mergedFrom"][0]["id"]
    answer = platform("PUT", f"{CONTACTS}/{source}", json={"firstName": "  Ada "}).json()
    assert (answer["id"], answer["firstName"]) == (merged["id"], "Ada")
    held = sandbox.get("externalContacts", merged["id"])
    assert "lastName" not in held
    assert "customFields" not in held
    assert held["mergeSet"] == merged["mergeSet"]
    assert "lastName" in sandbox.get("externalContacts", source)
    (effect,) = sandbox.effects(kind="contact.put")
    assert effect["subject"] == merged["id"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (
            {"display": "(555) 123-4567"},
            {"display": "+1 555-123-4567", "e164": "+15551234567", "countryCode": "US"},
        ),
        (
            {"display": "030 1234567", "normalizationCountryCode": "DE"},
            {"display": "+49 301234567", "e164": "+49301234567", "countryCode": "DE"},
        ),
        ({"display": "+999 12345678"}, {"display": "+99912345678", "e164": "+99912345678"}),
        ({"display": "call me"}, {"display": "call me"}),
        ({"display": "12", "e164": "+15550000000"}, {"display": "12"}),
    ],
)
def test_a_phone_number_is_read_and_what_was_typed_is_kept(
    platform: Ask, plain: str, typed: dict[str, str], kept: dict[str, str]
) -> None:
    phone = platform("PUT", f"{CONTACTS}/{plain}", json={"workPhone": typed}).json()["workPhone"]
    country = {k: v for k, v in typed.items() if k == "normalizationCountryCode"}
    assert phone == {**kept, **country, "userInput": typed["display"]}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"nickname": "x"}, 400, "invalid.property"),
        ({"firstName": 5}, 400, "constraint.validation"),
        ({"surveyOptOut": "true"}, 400, "constraint.validation"),
        ({"cellPhone": "555"}, 400, "constraint.validation"),
        ({"workEmail": "nowhere"}, 422, "validation.failed"),
        ({"workEmail": f"{'x' * 245}@example.com"}, 422, "validation.failed"),
        ({"division": {"id": "nowhere"}}, 400, "invalid.division.id"),
        ({"customFields": {"city_text": "Graz"}}, 422, "custom.fields.validation.failed"),
    ],
)
def test_a_contact_that_breaks_a_rule_is_refused_and_kept_as_it_was(
    sandbox: SandboxHandle,
    platform: Ask,
    plain: str,
    body: dict[str, Any],
    status: int,
    code: str,
) -> None:
    before = sandbox.get("externalContacts", plain)
    refused = platform("PUT", f"{CONTACTS}/{plain}", json=body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert sandbox.get("externalContacts", plain) == before


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("city_text", "Graz", ""),
        ("tier_enum", "gold", "wood"),
        ("crm_identifier", "0007", 7),
        ("openCases_integer", 3, 3.5),
        ("lifetimeValue_number", 12.5, "12.5"),
        ("memberSince_date", "2020-02-29", "2021-02-29"),
        ("lastVisit_datetime", "2020-02-29T12:00:00Z", "2020-02-29"),
        ("newsletter_checkbox", True, "true"),
        ("interests_tag", ["music"], ["music", "music"]),
        ("notes_longtext", "x", ["x"]),
    ],
)
def test_custom_fields_keep_to_their_schema(
    platform: Ask, plain: str, field: str, good: Any, bad: Any
) -> None:
    schema = platform("GET", f"{CONTACTS}/schemas").json()["entities"][0]
    known = {"id": schema["id"], "version": schema["version"]}
    for value, status in ((good, 200), (bad, 422)):
        body = {"schema": known, "customFields": {field: value}}
        answer = platform("PUT", f"{CONTACTS}/{plain}", json=body)
        assert answer.status_code == status, value
    assert answer.json()["code"] == "custom.fields.validation.failed"
    assert answer.json()["details"][0]["fieldName"] == f"customFields.{field}"


@pytest.mark.parametrize("change", [{"version": 2}, {"id": "another"}])
def test_a_schema_has_to_be_one_that_there_is(
    platform: Ask, plain: str, change: dict[str, Any]
) -> None:
    schema = platform("GET", f"{CONTACTS}/schemas").json()["entities"][0]
    body = {"schema": {"id": schema["id"], "version": 1, **change}}
    assert platform("PUT", f"{CONTACTS}/{plain}", json=body).status_code == 422


def test_a_schema_that_is_switched_off_takes_no_fields(
    sandbox: SandboxHandle, platform: Ask, plain: str
) -> None:
    contact = platform("GET", f"{CONTACTS}/{plain}").json()
    sandbox.put("contactSchemas", contact["schema"]["id"], {**contact["schema"], "enabled": False})
    assert platform("PUT", f"{CONTACTS}/{plain}", json=contact).status_code == 422


def test_schemas_and_their_limits_are_read(platform: Ask) -> None:
    (schema,) = platform("GET", f"{CONTACTS}/schemas").json()["entities"]
    assert platform("GET", f"{CONTACTS}/schemas/{schema['id']}").json() == schema
    assert platform("GET", f"{CONTACTS}/schemas/none").status_code == 404
    limits = platform("GET", f"{CONTACTS}/schemas/limits").json()
    assert limits["maxNumberOfFieldsPerSchema"] == 25


@pytest.mark.parametrize(
    ("action", "field", "value", "found"),
    [
        ("Update", "$.title", "Dr", "Dr"),
        ("UpdateIfEmpty", "$.title", "Dr", "Mx"),
        ("UpdateIfEmpty", "$.middleName", "Lee", "Lee"),
        ("UpdateIfExists", "$.title", "Dr", "Dr"),
        ("UpdateIfExists", "$.middleName", "Lee", None),
        ("Remove", "$.title", None, None),
        ("Update", "$.address.city", "Graz", "Graz"),
        ("AppendToCollection", "$.appleOpaqueIds", [{"value": "b"}], ["a", "b"]),
        ("RemoveFromCollection", "$.appleOpaqueIds", {"value": "a"}, []),
    ],
)
def test_a_patch_carries_out_each_action(
    sandbox: SandboxHandle, platform: Ask, action: str, field: str, value: Any, found: Any
) -> None:
    body = {"title": "Mx", "appleOpaqueIds": [{"value": "a"}], "address": {"state": "ST"}}
    sandbox.put("externalContacts", "mine", body)
    change = {"action": action, "field": field, "value": value}
    answer = platform("PATCH", f"{CONTACTS}/mine", json={"changes": [change]})
    assert answer.status_code == 200
    held: Any = sandbox.get("externalContacts", "mine")
    for name in field.split(".")[1:]:
        held = held.get(name)
    assert ([each["value"] for each in held] if isinstance(held, list) else held) == found


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ([("Update", "title", "x")], 422),
        ([("Update", "$..title", "x")], 422),
        ([("Update", "$.mergedTo", {})], 422),
        ([("Update", "$.unknown", "x")], 422),
        ([("Update", "$.title", 5)], 400),
        ([("Rename", "$.title", "x")], 400),
        ([("Update", "$.address.city", "x"), ("Remove", "$.address", None)], 409),
        ([("Update", "$.title.first", "x")], 422),
        ([("Update", "$.address.city", "x"), ("Update", "$.workEmail", "nowhere")], 422),
    ],
)
def test_a_patch_that_cannot_be_changes_nothing(
    sandbox: SandboxHandle, platform: Ask, changes: list[tuple[str, str, Any]], status: int
) -> None:
    before = sandbox.put("externalContacts", "mine", {"title": "Mx", "address": {}})
    body = [{"action": a, "field": f, "value": v} for a, f, v in changes]
    assert platform("PATCH", f"{CONTACTS}/mine", json={"changes": body}).status_code == status
    assert sandbox.get("externalContacts", "mine") == before


def test_many_contacts_are_read_at_once_each_with_its_own_outcome(
    platform: Ask, merged: dict[str, Any]
) -> None:
    source = merged["mergedFrom"][0]["id"]
    body = {"entities": [{"id": source}, {"id": "nobody"}]}
    for path, found in (("", merged["id"]), ("/unresolved", source)):
        answer = platform("POST", f"{EXTERNAL}/bulk/contacts{path}", json=body).json()
        assert (answer["errorCount"], answer["errorIndexes"]) == (1, [1])
        assert answer["results"][0]["entity"]["id"] == found
        assert answer["results"][1]["error"]["code"] == "entity.not.found"
    refused = platform("POST", f"{EXTERNAL}/bulk/contacts", json={"entities": []})
    assert refused.status_code == 422


def test_a_contact_is_found_by_what_identifies_it(platform: Ask, plain: str) -> None:
    contact = platform("GET", f"{CONTACTS}/{plain}").json()
    phone = contact["cellPhone"]["e164"]
    path = f"{EXTERNAL}/identifierlookup/contacts"
    for kind, value in (
        ("Email", contact["personalEmail"].upper()),
        ("Phone", f"{phone[:2]} {phone[2:5]} {phone[5:]}"),
    ):
        found = platform("POST", path, json={"type": kind, "value": value})
        assert (found.status_code, found.json()["id"]) == (200, plain)
    for kind, status in (("Cookie", 404), ("Pager", 400)):
        assert platform("POST", path, json={"type": kind, "value": "x"}).status_code == status
    listed = platform("GET", f"{CONTACTS}/{plain}/identifiers").json()["entities"]
    assert {each["type"] for each in listed} == {"Email", "Phone", "ExternalId"}


def test_a_scan_goes_through_every_contact_once(sandbox: SandboxHandle, platform: Ask) -> None:
    held = [sandbox.get("externalContacts", each) for each in sandbox.ids("externalContacts")]
    found: list[str] = []
    query: dict[str, Any] = {"limit": 50}
    while True:
        body = platform("GET", f"{EXTERNAL}/scan/contacts", params=query).json()
        found += [each["id"] for each in body["entities"]]
        if "cursors" not in body:
            break
        query["cursor"] = body["cursors"]["after"]
    assert sorted(found) == sorted(each["id"] for each in held if "mergedTo" not in each)


def test_a_scan_can_be_gone_on_with_for_a_day(
    sandbox: SandboxHandle, ask_as: Callable[..., Ask], clock: ManualClock
) -> None:
    sandbox.put_client("platform-client", token_seconds=172_800)
    ask = ask_as("platform-client", "platform-secret")
    cursor = ask("GET", f"{EXTERNAL}/scan/contacts").json()["cursors"]["after"]

    def status(cursor: str) -> int:
        return ask("GET", f"{EXTERNAL}/scan/contacts", params={"cursor": cursor}).status_code

    clock.advance(86_399)
    assert (status(cursor), status("nonsense")) == (200, 422)
    clock.advance(1)
    assert status(cursor) == 422


def test_a_scan_keeps_to_a_division(sandbox: SandboxHandle, platform: Ask) -> None:
    home, other = sandbox.ids("divisions")
    for division, least in ((home, 100), (other, 6)):
        query = {"limit": 200, "divisionId": division}
        listed = platform("GET", f"{EXTERNAL}/scan/contacts", params=query).json()["entities"]
        assert {each["division"]["id"] for each in listed} == {division}
        assert len(listed) >= least
    refused = platform("GET", f"{EXTERNAL}/scan/contacts", params={"divisionId": "nowhere"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid.division.id")
    assert platform("GET", f"{EXTERNAL}/scan/contacts", params={"limit": 9}).status_code == 422


def test_somebody_else_changes_a_contact_between_two_reads(
    sandbox: SandboxHandle, platform: Ask, plain: str
) -> None:
    route = f"{CONTACTS}/{{contactId}}"
    changes = {"title": "Countess"}
    sandbox.fault(kind="foreign_write", system="platform", route=route, changes=changes)
    first, second = (platform("GET", f"{CONTACTS}/{plain}").json() for _ in range(2))
    assert "title" not in first
    assert second["title"] == "Countess"
    assert second["modifyDate"] > first["modifyDate"]
