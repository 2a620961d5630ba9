"""External contacts: what is read of them for a sync, for a match, and for a merge."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.apis.genesys_platform.external_contact import ExternalContact, custom_fields
from tasks.errors import Rejected

PHONE = {
    "display": "(555) 123-4567",
    "extension": 12,
    "acceptsSMS": False,
    "userInput": "555 123 4567",
    "e164": "+15551234567",
    "countryCode": "US",
}


def contact(**document: Any) -> ExternalContact:
    return ExternalContact.model_validate({"id": "c-1", "type": "Curated", **document})


@pytest.mark.parametrize(
    ("state", "canonical", "merged"),
    [
        ({}, "c-1", {"c-1"}),
        ({"canonicalContact": None, "mergeSet": None}, "c-1", {"c-1"}),
        ({"canonicalContact": {"id": "c-9"}, "mergedTo": {"id": "c-5"}}, "c-9", {"c-1"}),
        ({"mergedTo": {"id": "c-5", "selfUri": "/c-5"}}, "c-5", {"c-1"}),
        (
            {"mergeSet": [{"id": "c-1"}, {"id": "c-2"}], "mergedFrom": [{"id": "c-3"}]},
            "c-1",
            {"c-1", "c-2", "c-3"},
        ),
    ],
)
def test_a_record_tells_what_it_has_become_one_with(
    state: dict[str, Any], canonical: str, merged: set[str]
) -> None:
    found = contact(**state)
    assert (found.canonical_id, {*found.merged_ids}) == (canonical, merged)


def test_attributes_are_flat_and_hold_no_field_without_a_value() -> None:
    found = contact(
        customFields={
            "tier_text": "gold",
            "visits_number": 7,
            "left_text": None,
            "likes_tag": ["a", "b"],
        },
        schema={"id": "s-1", "version": 2},
        firstName="Ann",
        lastName=None,
        workEmail="ann@work.example",
        cellPhone=PHONE,
        homePhone={"display": "extension 7"},
        otherPhone={},
        address={"city": "Oslo", "address2": None},
        externalIds=[
            {"externalSource": {"id": "x-1", "name": "CRM"}, "value": "A-77"},
            {"externalSource": {"id": "x-2"}, "value": "B-78"},
            {"externalSource": {}, "value": "no source"},
        ],
        surveyOptOut=False,
        division={"id": "d-1"},
    )
    assert found.attributes() == {
        "tier_text": "gold",
        "visits_number": 7,
        "likes_tag": "a, b",
        "firstName": "Ann",
        "workEmail": "ann@work.example",
        "cellPhone": "+15551234567",
        "homePhone": "extension 7",
        "address.city": "Oslo",
        "externalId.CRM": "A-77",
        "externalId.x-2": "B-78",
        "surveyOptOut": False,
    }


def test_people_are_matched_by_the_first_slot_that_is_filled() -> None:
    found = contact(
        personalEmail="ann@home.example",
        otherEmail="ann@other.example",
        workPhone=PHONE,
        externalIds=[{"externalSource": {"name": "CRM"}, "value": "A-77"}],
    )
    assert found.identities() == {
        "email": "ann@home.example",
        "phone": "+15551234567",
        "externalId": "A-77",
    }
    assert contact().identities() == {}


def test_what_is_written_over_another_contact_is_what_a_client_may_write() -> None:
    found = contact(
        firstName="Ann",
        workEmail="",
        cellPhone=PHONE,
        homePhone=None,
        surveyOptOut=False,
        address={"city": "Oslo"},
        externalOrganization={"id": "o-1", "name": "Acme", "industry": "shoes"},
        customFields={"tier_text": "gold"},
        externalIds=[{"externalSource": {"name": "CRM"}, "value": "A-77"}],
        whatsAppId={"displayName": "Ann"},
        createDate="2026-01-01T00:00:00Z",
        mergeSet=[{"id": "c-1"}],
    )
    assert found.writable() == {
        "firstName": "Ann",
        "cellPhone": {"display": "+15551234567", "extension": 12, "acceptsSMS": False},
        "surveyOptOut": False,
        "address": {"city": "Oslo"},
        "externalOrganization": {"id": "o-1", "name": "Acme"},
    }


def test_custom_fields_of_one_schema_are_joined_the_first_contacts_above_all() -> None:
    schema = {"id": "s-1", "version": 2, "selfUri": "/s-1", "createdBy": {"id": "u-1"}}
    contacts = [
        contact(),
        contact(schema=schema, customFields={"tier_text": "gold", "left_text": None}),
        contact(schema=schema, customFields={"tier_text": "tin", "left_text": "kept"}),
        contact(schema={"id": "s-2", "version": 1}, customFields={"other_text": "does not fit"}),
    ]
    assert custom_fields(contacts) == {
        "schema": {"id": "s-1", "version": 2},
        "customFields": {"tier_text": "gold", "left_text": "kept"},
    }
    assert custom_fields(contacts[:1]) == {}


ODD: tuple[Any, ...] = ("text", 7, True, ["text", 7, None], {"name": "text"})


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize(
    "field",
    ["customFields", "externalIds", "address", "cellPhone", "externalOrganization", "schema"],
)
def test_a_field_of_an_odd_shape_stops_no_reading(field: str, odd: Any) -> None:
    found = contact(**{"firstName": "Ann", field: odd})
    assert found.attributes()["firstName"] == found.writable()["firstName"] == "Ann"
    assert "externalId" not in found.identities()
    assert "address" not in contact(address="Oslo").writable()


@pytest.mark.parametrize("odd", ODD[:-1], ids=repr)
def test_custom_fields_that_cannot_be_read_are_written_over_nobodys(odd: Any) -> None:
    schema = {"id": "s-1"}
    sound = contact(schema=schema, customFields={"tier_text": "gold"})
    with pytest.raises(Rejected) as refused:
        custom_fields([sound, contact(schema=schema, customFields=odd)])
    assert str(refused.value) == "customFields: those of contact c-1 are no object"


def test_no_repr_of_a_contact_shows_a_value() -> None:
    assert "Ann" not in f"{contact(firstName='Ann')!r} {contact(firstName='Ann')}"
