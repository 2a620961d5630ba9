"""Copying a contact's attributes to the customer store."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from tasks import errors
from tasks.apis.genesys import Contact, Genesys
from tasks.apis.systems import Systems
from tasks.mapping import FieldRule, SyncRules
from tasks.messages import SyncProfile
from tasks.operations import Outcome
from tasks.sync import OPERATION, sync_profile
from tests.unit.tasks.fakes import (
    FakeCustomers,
    FakeGenesys,
    FakeNewest,
    Locks,
    forbidden,
    not_found,
    outcome_unknown,
    unauthenticated,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LATER = NOON + SECOND


@pytest.fixture
def genesys() -> FakeGenesys:
    attributes = {"tier": "gold", "balance": "12.5", "vip": "true", "since": "2024-02-29"}
    return FakeGenesys(contacts={"contact": Contact(id="contact", attributes=attributes)})


@pytest.fixture
def customers() -> FakeCustomers:
    return FakeCustomers()


@pytest.fixture
def newest() -> FakeNewest:
    return FakeNewest(first_claim=NOON)


def message(**fields: Any) -> SyncProfile:
    return SyncProfile(**{"contact_id": "contact", **fields})


def test_the_contacts_attributes_reach_the_customer_with_their_types(
    genesys: FakeGenesys, customers: FakeCustomers, newest: FakeNewest
) -> None:
    outcome = sync_profile(message(), genesys, customers, SyncRules(), newest)
    written = {a.name: (a.type, a.value) for a in customers.customers["contact"].values()}
    assert written == {
        "tier": ("string", "gold"),
        "balance": ("number", Decimal("12.5")),
        "vip": ("boolean", True),
        "since": ("date", "2024-02-29"),
    }
    assert outcome == Outcome(
        status="done",
        detail={
            "customer_id": "contact",
            "sent": ["balance", "since", "tier", "vip"],
            "superseded": [],
            "left_out": [],
        },
    )


def test_values_that_the_message_brings_are_not_read_from_the_contact(
    genesys: FakeGenesys, customers: FakeCustomers, newest: FakeNewest
) -> None:
    sync_profile(message(attributes={"tier": "tin"}), genesys, customers, SyncRules(), newest)
    assert genesys.calls == []
    assert customers.calls == [("contact", ("tier",))]


@pytest.mark.parametrize(
    ("attributes", "rules"),
    [
        pytest.param({}, SyncRules(), id="no attributes"),
        pytest.param({}, SyncRules(customer_id_attribute="crm"), id="and no customer id either"),
        pytest.param({"tier": None}, SyncRules(), id="only nulls"),
        pytest.param({"tier": "gold"}, SyncRules(unmapped="ignore"), id="none that is mapped"),
    ],
)
def test_nothing_to_send_is_a_noop_without_a_call(
    customers: FakeCustomers,
    newest: FakeNewest,
    attributes: dict[str, object],
    rules: SyncRules,
) -> None:
    genesys = FakeGenesys(contacts={"contact": Contact(id="contact", attributes=attributes)})
    outcome = sync_profile(message(), genesys, customers, rules, newest)
    assert outcome.status == "noop"
    assert customers.calls == []


@pytest.mark.parametrize("error", [unauthenticated(), forbidden("x:read"), not_found()])
def test_refusals_of_the_contact_are_told_apart(
    genesys: FakeGenesys, customers: FakeCustomers, newest: FakeNewest, error: errors.ApiError
) -> None:
    genesys.refusals["read_contact"] = error
    with pytest.raises(type(error)):
        sync_profile(message(), genesys, customers, SyncRules(), newest)


def test_a_tenant_without_a_customer_store_is_told_what_to_add(
    genesys: FakeGenesys, newest: FakeNewest
) -> None:
    with pytest.raises(errors.Unsupported, match=r"add one to TENANTS_FILE"):
        sync_profile(message(), genesys, None, SyncRules(), newest)
    assert genesys.calls == []


@pytest.mark.parametrize(
    ("explicit", "rules", "customer"),
    [
        ("c-9", SyncRules(customer_id_attribute="crm id"), "c-9"),
        (None, SyncRules(customer_id_attribute="crm id"), "crm-7"),
        (None, SyncRules(customer_id_template="genesys-{contact_id}"), "genesys-survivor"),
        (None, SyncRules(), "survivor"),
    ],
)
def test_the_customer_is_the_messages_else_the_contacts_else_the_templates(
    customers: FakeCustomers,
    newest: FakeNewest,
    explicit: str | None,
    rules: SyncRules,
    customer: str,
) -> None:
    merged = Contact(id="survivor", attributes={"crm id": "crm-7"})
    genesys = FakeGenesys(contacts={"contact": merged})
    outcome = sync_profile(message(customer_id=explicit), genesys, customers, rules, newest)
    assert outcome.detail["customer_id"] == customer
    assert list(customers.customers) == [customer]


@pytest.mark.parametrize("value", [None, "", "../admin", "a/b", "ann@ex.com\n", 12, "a" * 129])
def test_a_customer_id_that_is_not_safe_is_rejected_and_not_quoted(
    customers: FakeCustomers, newest: FakeNewest, value: object
) -> None:
    attributes = {"crm": value, "tier": "gold"}
    genesys = FakeGenesys(contacts={"contact": Contact(id="contact", attributes=attributes)})
    rules = SyncRules(customer_id_attribute="crm")
    with pytest.raises(errors.Rejected) as caught:
        sync_profile(message(), genesys, customers, rules, newest)
    assert str(caught.value) == (
        "customer_id: the message has none and the contact yields no valid one"
    )
    assert customers.calls == []


def test_an_older_message_never_overwrites_a_newer_value(
    genesys: FakeGenesys, customers: FakeCustomers, newest: FakeNewest
) -> None:
    newer = message(attributes={"tier": "gold"}, occurred_at=LATER)
    older = message(attributes={"tier": "tin", "lang": "de"}, occurred_at=NOON)
    sync_profile(newer, genesys, customers, SyncRules(), newest)
    outcome = sync_profile(older, genesys, customers, SyncRules(), newest)
    assert outcome.detail["sent"] == ["lang"]
    assert outcome.detail["superseded"] == ["tier"]
    assert customers.customers["contact"]["tier"].value == "gold"


def test_a_superseded_value_keeps_the_moment_of_the_newer_one(
    genesys: FakeGenesys, customers: FakeCustomers, newest: FakeNewest
) -> None:
    moments = {"gold": NOON + 2 * SECOND, "tin": NOON, "silver": NOON + SECOND}
    for tier, moment in moments.items():
        sent = message(attributes={"tier": tier, tier: "x"}, occurred_at=moment)
        sync_profile(sent, genesys, customers, SyncRules(), newest)
    assert customers.customers["contact"]["tier"].value == "gold"


def test_a_message_superseded_in_all_its_values_makes_no_call(
    genesys: FakeGenesys, customers: FakeCustomers, newest: FakeNewest
) -> None:
    newer = message(attributes={"tier": "gold"}, occurred_at=LATER)
    sync_profile(newer, genesys, customers, SyncRules(), newest)
    older = message(attributes={"tier": "tin"}, occurred_at=NOON)
    assert sync_profile(older, genesys, customers, SyncRules(), newest).status == "noop"
    assert len(customers.calls) == 1


def test_one_customers_values_do_not_supersede_anothers(
    genesys: FakeGenesys, customers: FakeCustomers, newest: FakeNewest
) -> None:
    newer = message(contact_id="a", attributes={"tier": "gold"}, occurred_at=LATER)
    older = message(contact_id="b", attributes={"tier": "tin"}, occurred_at=NOON)
    sync_profile(newer, genesys, customers, SyncRules(), newest)
    assert sync_profile(older, genesys, customers, SyncRules(), newest).status == "done"


def test_newest_is_kept_per_target_name(
    genesys: FakeGenesys, customers: FakeCustomers, newest: FakeNewest
) -> None:
    rules = SyncRules(fields={"Tier ": FieldRule(target="tier")})
    newer = message(attributes={"Tier ": "gold"}, occurred_at=LATER)
    older = message(attributes={"tier": "tin"}, occurred_at=NOON)
    sync_profile(newer, genesys, customers, rules, newest)
    assert sync_profile(older, genesys, customers, rules, newest).detail["superseded"] == ["tier"]


def test_a_write_without_an_answer_is_not_remembered_and_may_be_repeated(
    genesys: FakeGenesys, customers: FakeCustomers, newest: FakeNewest
) -> None:
    customers.refusal = outcome_unknown()
    with pytest.raises(errors.OutcomeUnknown):
        sync_profile(message(), genesys, customers, SyncRules(), newest)
    customers.refusal = None
    assert sync_profile(message(), genesys, customers, SyncRules(), newest).status == "done"


def test_a_broken_mapping_writes_nothing(
    genesys: FakeGenesys, customers: FakeCustomers, newest: FakeNewest
) -> None:
    rules = SyncRules(fields={"tier": FieldRule(type="number")})
    with pytest.raises(errors.Rejected, match="'tier' is not a number"):
        sync_profile(message(), genesys, customers, rules, newest)
    assert customers.calls == []


def test_the_outcome_quotes_no_value(
    customers: FakeCustomers, genesys: FakeGenesys, newest: FakeNewest
) -> None:
    sent = message(attributes={"mail": "ann@example.com"})
    outcome = sync_profile(sent, genesys, customers, SyncRules(), newest)
    assert "ann@" not in repr(outcome)


@dataclass(kw_only=True)
class Interrupted(FakeNewest):
    """Lets something happen after it has answered what is outdated, once."""

    meanwhile: list[Callable[[], None]] = field(default_factory=list)

    def outdated(
        self, resource: str, keys: Collection[str], occurred_at: datetime | None
    ) -> frozenset[str]:
        answer = super().outdated(resource, keys, occurred_at)
        if self.meanwhile:
            self.meanwhile.pop()()
        return answer


def test_of_two_syncs_of_one_customer_at_once_the_newer_value_wins(
    genesys: FakeGenesys, customers: FakeCustomers
) -> None:
    newest, lock = Interrupted(first_claim=NOON), Locks()
    rules = SyncRules(customer_id_attribute="crm")

    def sync(contact_id: str, tier: str, moment: datetime) -> str:
        values = {"tier": tier, "crm": "crm-7"}
        sent = message(contact_id=contact_id, attributes=values, occurred_at=moment)
        return sync_profile(sent, genesys, customers, rules, newest, lock).status

    def newer_in_between() -> None:
        with pytest.raises(errors.Postponed, match="customer is in use"):
            sync("b", "gold", LATER)

    newest.meanwhile.append(newer_in_between)
    assert sync("a", "tin", NOON) == "done"
    assert sync("b", "gold", LATER) == "done"
    assert customers.customers["crm-7"]["tier"].value == "gold"
    assert lock.held == set()


def test_a_sync_is_given_the_tenants_locks(genesys: FakeGenesys, customers: FakeCustomers) -> None:
    lock = Locks(held={"customer:contact"})
    systems = Systems(
        genesys=cast(Genesys, genesys),
        customers=customers,
        sync=SyncRules(),
        newest=FakeNewest(first_claim=NOON),
        lock=lock,
    )
    with pytest.raises(errors.Postponed):
        OPERATION.use_case(message(), systems)
    assert customers.calls == []


def test_messages_of_one_contact_run_one_at_a_time() -> None:
    assert OPERATION.locks(message(customer_id="c")) == ("contact:contact",)
