"""What is told, and kept, of names and texts that strangers have chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.apis.customers import Shape
from tasks.apis.genesys import AuditRecord, Consent
from tasks.changes import counted
from tasks.deploy import shown_version
from tasks.errors import Rejected
from tasks.mapping import SyncRules, map_attributes
from tasks.merge import aggregate_consents
from tasks.refusals import kept_attribute, shown_attribute, shown_customer
from tasks.target_rules import field_key

ANN = "Ann@Example.com"

SHAPE = Shape(
    target="cognigy",
    types=frozenset({"string"}),
    names_fold_case=True,
    partial=True,
    readable=True,
    creates=False,
    removes=False,
)


@pytest.mark.parametrize(
    "name", ["tier", "Loyalty Tier", "context.crm_id", "Größe (cm)", "a/b: 'c'", "2026", "№ 1234"]
)
def test_what_names_an_attribute_is_told_and_kept(name: str) -> None:
    assert (shown_attribute(name), kept_attribute(name)) == (name, name)


@pytest.mark.parametrize(
    "name", [ANN, "of ann@example.com", "+1 415 555 0173", "4155550173", "078-05-1120", "x 12345"]
)
def test_a_name_that_may_be_personal_data_is_not_told_and_kept_as_its_digest(name: str) -> None:
    assert shown_attribute(name) == "?"
    assert kept_attribute(name).startswith("sha256:")
    assert kept_attribute(name) != kept_attribute(name + " ")


@pytest.mark.parametrize(
    "customer_id", ["crm-7", "0123456789abcdef01234567", "genesys-100077", "sms_4155550173", "a+b"]
)
def test_what_names_a_customer_is_told(customer_id: str) -> None:
    assert shown_customer(customer_id) == customer_id


@pytest.mark.parametrize("customer_id", [ANN, f"email_{ANN}", "+14155550173", "sms_+14155550173"])
def test_a_customers_id_that_is_an_address_is_told_by_its_digest(customer_id: str) -> None:
    assert shown_customer(customer_id).startswith("sha256:")
    assert shown_customer(customer_id) != shown_customer(f"{customer_id}0")


def test_such_names_are_one_field_where_the_target_has_one() -> None:
    assert field_key(ANN, SHAPE) == field_key(ANN.lower(), SHAPE)
    cased = replace(SHAPE, names_fold_case=False)
    assert field_key(ANN, cased) != field_key(ANN.lower(), cased)


def test_a_problem_with_such_an_attribute_does_not_name_it() -> None:
    with pytest.raises(Rejected) as refusal:
        map_attributes({ANN: ["x"], ANN.lower(): "y", "tier": ["x"]}, SyncRules(), SHAPE)
    assert "'?' and '?' both map to '?'" in str(refusal.value)
    assert "'tier' is neither text" in str(refusal.value)
    assert "ann" not in str(refusal.value).lower()


def test_a_consent_for_such_a_purpose_is_recorded_without_it() -> None:
    consents = [Consent(purpose=ANN, status="granted"), Consent(purpose="1" * 9, status="denied")]
    assert aggregate_consents(consents) == {"?": "denied"}


@pytest.mark.parametrize("version", [None, "0", "5", 'W/"33a64df5"', '"a.b_c-d:e+f/g="'])
def test_a_version_is_told(version: str | None) -> None:
    assert shown_version(version) == version


@pytest.mark.parametrize("text", [ANN, "by Ann", "", "x" * 81])
def test_a_text_that_is_no_version_is_not_told(text: str) -> None:
    assert shown_version(text) == "?"


def test_the_newest_change_is_told_by_its_moment_and_by_no_other_text() -> None:
    times = ("2026-05-01T09:00:00.000Z", "2026-05-01T10:00:00.000Z", f"z {ANN}")
    records = [AuditRecord(action="update", organization_id="a", at=each) for each in times]
    assert counted(records) == {"audit": {"records": 3, "newest": times[1]}}
