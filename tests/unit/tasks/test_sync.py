"""Copying a contact's attributes to the customer store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from tasks import errors
from tasks.apis import capabilities
from tasks.apis.customers import CustomerAttribute, Definition
from tasks.apis.genesys import Contact, Genesys
from tasks.apis.systems import Lock, Systems, unlocked
from tasks.mapping import FieldRule, SyncRules
from tasks.messages import SyncProfile
from tasks.operations import Outcome
from tasks.pending import Held, PendingInMemory
from tasks.steps import Unshared
from tasks.sync import OPERATION
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

#: Writes nobody else's values along, so that a test is about one message.
ALONE = SyncRules(coalesce_seconds=0)


def message(**fields: Any) -> SyncProfile:
    return SyncProfile(**{"contact_id": "contact", **fields})


@dataclass(kw_only=True)
class Tenant:
    """A tenant whose messages are carried out one by one, each an operation of its own."""

    genesys: FakeGenesys = field(default_factory=FakeGenesys)
    customers: FakeCustomers = field(default_factory=FakeCustomers)
    rules: SyncRules = ALONE
    lock: Lock = unlocked
    waits: Held = field(default_factory=dict)
    wrote: Held = field(default_factory=dict)
    holds: dict[str, float] = field(default_factory=dict)
    count: int = 0

    def contact(self, **attributes: object) -> None:
        self.genesys.contacts["contact"] = Contact(id="contact", attributes=attributes)

    def sync(self, **fields: Any) -> Outcome:
        """Carry a message out at once."""
        return Operation(tenant=self, message=message(**fields)).run()

    def gather(self, **fields: Any) -> Operation:
        """Carry a message out as far as it comes while changes are gathered."""
        operation = Operation(tenant=self, message=message(**fields))
        with pytest.raises(errors.Postponed, match="changes of the customer are gathered"):
            operation.run()
        return operation

    def value(self, name: str, customer: str = "contact") -> object:
        return self.customers.customers[customer][name].value


@dataclass(kw_only=True)
class Operation:
    """A message with what its attempts have in common; each `run` is one of them."""

    tenant: Tenant
    message: SyncProfile
    steps: Unshared = field(default_factory=Unshared)
    number: int = 0

    def __post_init__(self) -> None:
        self.tenant.count += 1
        self.number = self.tenant.count

    @property
    def name(self) -> str:
        return f"operation-{self.number}"

    def run(self) -> Outcome:
        tenant = self.tenant
        pending = PendingInMemory(
            operation=self.name,
            claimed=NOON + self.number * SECOND / 1000,
            waits=tenant.waits,
            wrote=tenant.wrote,
            holds=tenant.holds,
        )
        systems = Systems(
            genesys=cast(Genesys, tenant.genesys),
            customers=tenant.customers,
            sync=tenant.rules,
            newest=FakeNewest(first_claim=NOON),
            lock=tenant.lock,
            steps=self.steps,
            pending=pending,
        )
        return OPERATION.use_case(self.message, systems)


@pytest.fixture
def tenant() -> Tenant:
    made = Tenant()
    made.contact(tier="gold", balance="12.5", vip="true", since="2024-02-29")
    return made


def test_the_contacts_attributes_reach_the_customer_with_their_types(tenant: Tenant) -> None:
    outcome = tenant.sync()
    held = tenant.customers.customers["contact"].values()
    assert {a.name: (a.type, a.value) for a in held} == {
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
            "along": [],
            "joined": [],
            "unchanged": [],
            "superseded": [],
            "superseded_by": [],
            "left_out": [],
        },
    )


@pytest.mark.parametrize(
    ("attributes", "rules"),
    [
        pytest.param({}, ALONE, id="no attributes"),
        pytest.param({}, SyncRules(customer_id_attribute="crm"), id="and no customer id either"),
        pytest.param({"tier": None}, ALONE, id="only nulls"),
        pytest.param({"tier": "gold"}, SyncRules(unmapped="ignore"), id="none that is mapped"),
    ],
)
def test_nothing_to_send_is_a_noop_without_a_call_or_a_wait(
    attributes: dict[str, object], rules: SyncRules
) -> None:
    tenant = Tenant(rules=rules)
    tenant.contact(**attributes)
    assert tenant.sync().status == "noop"
    assert tenant.customers.calls == []


@pytest.mark.parametrize("error", [unauthenticated(), forbidden("x:read"), not_found()])
def test_refusals_of_the_contact_are_told_apart(tenant: Tenant, error: errors.ApiError) -> None:
    tenant.genesys.refusals["read_contact"] = error
    with pytest.raises(type(error)):
        tenant.sync()


def test_a_tenant_without_a_customer_store_is_told_what_to_add(tenant: Tenant) -> None:
    systems = Systems(
        genesys=cast(Genesys, tenant.genesys),
        customers=None,
        sync=ALONE,
        newest=FakeNewest(first_claim=NOON),
    )
    with pytest.raises(errors.Unsupported, match=r"add one to TENANTS_FILE"):
        OPERATION.use_case(message(), systems)
    assert tenant.genesys.calls == []


class TestIdentity:
    @pytest.mark.parametrize(
        ("explicit", "rules", "customer"),
        [
            ("c-9", {"customer_id_attribute": "crm id"}, "c-9"),
            (None, {"customer_id_attribute": "crm id"}, "crm-7"),
            (None, {"customer_id_template": "genesys-{contact_id}"}, "genesys-survivor"),
            (None, {}, "survivor"),
        ],
    )
    def test_the_customer_is_the_messages_else_the_contacts_else_the_templates(
        self, explicit: str | None, rules: dict[str, Any], customer: str
    ) -> None:
        tenant = Tenant(rules=SyncRules(coalesce_seconds=0, **rules))
        survivor = Contact(id="survivor", attributes={"crm id": "crm-7"})
        tenant.genesys.contacts["contact"] = survivor
        assert tenant.sync(customer_id=explicit).detail["customer_id"] == customer
        assert list(tenant.customers.customers) == [customer]

    @pytest.mark.parametrize(
        ("contract", "rules", "fields", "customer", "reads"),
        [
            pytest.param("platform", {}, {}, "survivor", 1, id="it may have been merged"),
            pytest.param("platform", {"resolve_contacts": False}, {}, "contact", 0, id="told not"),
            pytest.param("platform", {}, {"customer_id": "c-9"}, "c-9", 0, id="no difference"),
            pytest.param("guide", {}, {}, "contact", 0, id="nothing would tell"),
            pytest.param("guide", {"customer_id_attribute": "crm"}, {}, "crm-7", 1, id="its id"),
            pytest.param("guide", {"customer_id_attribute": "tier"}, {}, "tin", 0, id="told id"),
        ],
    )
    def test_the_contact_of_a_message_that_brings_values_is_read_for_its_own_id_only(
        self,
        contract: str,
        rules: dict[str, Any],
        fields: dict[str, Any],
        customer: str,
        reads: int,
    ) -> None:
        tenant = Tenant(rules=SyncRules(coalesce_seconds=0, **rules))
        if contract == "platform":
            tenant.genesys.capabilities = capabilities.PLATFORM
        known = Contact(id="survivor", attributes={"tier": "old", "crm": "crm-7"})
        tenant.genesys.contacts["contact"] = known
        tenant.sync(attributes={"tier": "tin"}, **fields)
        assert tenant.genesys.verbs() == ["read_contact"] * reads
        assert tenant.value("tier", customer) == "tin"

    @pytest.mark.parametrize("value", [None, "", "../admin", "a/b", "ann@ex.com\n", 12, "a" * 129])
    def test_a_customer_id_that_is_not_safe_is_rejected_and_not_quoted(self, value: object) -> None:
        tenant = Tenant(rules=SyncRules(customer_id_attribute="crm", coalesce_seconds=0))
        tenant.contact(crm=value, tier="gold")
        with pytest.raises(errors.Rejected) as caught:
            tenant.sync()
        assert str(caught.value) == (
            "customer_id: the message has none and the contact yields no valid one"
        )
        assert tenant.customers.calls == []

    @pytest.mark.parametrize("attributes", [{"tier": "gold"}, {"tier": None}])
    def test_a_customer_whose_id_is_an_address_is_told_by_its_digest(
        self, tenant: Tenant, attributes: dict[str, Any]
    ) -> None:
        tenant.contact(**attributes)
        told = tenant.sync(customer_id="email_ann@example.com").detail["customer_id"]
        assert str(told).startswith("sha256:")
        written = {"email_ann@example.com"} if attributes["tier"] else set()
        assert tenant.customers.customers.keys() == written

    def test_a_contact_without_a_customer_is_left_alone_where_the_tenant_says_so(self) -> None:
        tenant = Tenant(rules=SyncRules(customer_id_attribute="crm", no_match="skip"))
        tenant.contact(tier="gold")
        outcome = tenant.sync()
        assert (outcome.status, outcome.detail["skipped"]) == (
            "noop",
            "the contact has no customer",
        )
        assert tenant.customers.calls == []

    def test_a_contact_without_a_customer_gets_one_by_the_template_where_the_tenant_says_so(
        self,
    ) -> None:
        rules = SyncRules(customer_id_attribute="crm", no_match="create", coalesce_seconds=0)
        tenant = Tenant(rules=rules)
        tenant.contact(tier="gold")
        assert tenant.sync().detail["customer_id"] == "contact"

    def test_no_customer_is_made_where_the_contacts_own_id_of_one_is_wrong(self) -> None:
        rules = SyncRules(customer_id_attribute="crm", no_match="create", coalesce_seconds=0)
        tenant = Tenant(rules=rules)
        tenant.contact(tier="gold", crm="../admin")
        with pytest.raises(errors.Rejected, match="customer_id"):
            tenant.sync()

    @pytest.mark.parametrize("readable", [False, True])
    def test_a_customer_that_the_store_does_not_know_is_skipped_parked_or_made(
        self, tenant: Tenant, readable: bool
    ) -> None:
        tenant.customers.knows_all = False
        tenant.customers.shape = replace(tenant.customers.shape, readable=readable)
        with pytest.raises((errors.NotFound, errors.Rejected)):
            tenant.sync()
        tenant.rules = ALONE.model_copy(update={"no_match": "skip"})
        outcome = tenant.sync()
        assert outcome.status == "noop"
        assert outcome.detail["skipped"] == "the customer store has no such customer"
        tenant.rules = ALONE.model_copy(update={"no_match": "create"})
        with pytest.raises(errors.Unsupported, match="cxone-guide creates none"):
            tenant.sync()
        assert (tenant.customers.customers, tenant.waits) == ({}, {})
        tenant.customers.shape = replace(tenant.customers.shape, creates=True)
        assert tenant.sync().status == "done"
        assert tenant.value("tier") == "gold"


class TestNewestWins:
    def test_an_older_message_never_overwrites_a_newer_value_and_says_whose_it_is(
        self, tenant: Tenant
    ) -> None:
        tenant.sync(attributes={"tier": "gold"}, occurred_at=LATER)
        outcome = tenant.sync(attributes={"tier": "tin", "lang": "de"}, occurred_at=NOON)
        assert outcome.detail["sent"] == ["lang"]
        assert outcome.detail["superseded"] == ["tier"]
        assert outcome.detail["superseded_by"] == ["operation-1"]
        assert tenant.value("tier") == "gold"

    def test_a_superseded_value_keeps_the_moment_of_the_newer_one(self, tenant: Tenant) -> None:
        moments = {"gold": NOON + 2 * SECOND, "tin": NOON, "silver": NOON + SECOND}
        for tier, moment in moments.items():
            tenant.sync(attributes={"tier": tier, tier: "x"}, occurred_at=moment)
        assert tenant.value("tier") == "gold"

    def test_without_moments_the_order_of_first_claims_decides(self, tenant: Tenant) -> None:
        first = Operation(tenant=tenant, message=message(attributes={"tier": "tin"}))
        tenant.sync(attributes={"tier": "gold"})
        assert first.run().detail["superseded"] == ["tier"]
        assert tenant.value("tier") == "gold"

    def test_of_values_of_one_moment_that_of_the_later_claim_stays(self, tenant: Tenant) -> None:
        told = [message(attributes={"tier": tier}, occurred_at=NOON) for tier in ("tin", "gold")]
        first, second = (Operation(tenant=tenant, message=each) for each in told)
        assert second.run().status == "done"
        assert first.run().status == "noop"
        assert tenant.value("tier") == "gold"

    def test_a_message_superseded_in_all_its_values_makes_no_call(self, tenant: Tenant) -> None:
        tenant.sync(attributes={"tier": "gold"}, occurred_at=LATER)
        assert tenant.sync(attributes={"tier": "tin"}, occurred_at=NOON).status == "noop"
        assert len(tenant.customers.calls) == 1

    def test_a_value_that_is_so_already_makes_no_call_and_still_counts_at_its_moment(
        self, tenant: Tenant
    ) -> None:
        tenant.sync(attributes={"tier": "gold"}, occurred_at=NOON)
        outcome = tenant.sync(attributes={"tier": "gold"}, occurred_at=NOON + 2 * SECOND)
        assert (outcome.status, outcome.detail["unchanged"]) == ("noop", ["tier"])
        late = tenant.sync(attributes={"tier": "tin"}, occurred_at=LATER)
        assert late.detail["superseded"] == ["tier"]
        assert len(tenant.customers.calls) == 1

    def test_only_what_has_changed_is_sent(self, tenant: Tenant) -> None:
        tenant.sync(attributes={"tier": "gold", "lang": "de"})
        outcome = tenant.sync(attributes={"tier": "tin", "lang": "de"})
        assert tenant.customers.calls[1:] == [("contact", ("tier",))]
        assert (outcome.detail["sent"], outcome.detail["unchanged"]) == (["tier"], ["lang"])

    def test_one_customers_values_do_not_supersede_anothers(self, tenant: Tenant) -> None:
        tenant.sync(contact_id="a", attributes={"tier": "gold"}, occurred_at=LATER)
        older = tenant.sync(contact_id="b", attributes={"tier": "gold"}, occurred_at=NOON)
        assert older.status == "done"

    def test_newest_is_kept_per_target_name_whatever_its_case(self, tenant: Tenant) -> None:
        tenant.rules = SyncRules(
            coalesce_seconds=0, fields={"Tier ": FieldRule(target="membership")}
        )
        tenant.sync(attributes={"Tier ": "gold"}, occurred_at=LATER)
        older = tenant.sync(attributes={"Membership": "tin"}, occurred_at=NOON)
        assert older.detail["superseded"] == ["Membership"]

    def test_of_two_syncs_of_one_customer_at_once_the_newer_value_wins(
        self, tenant: Tenant
    ) -> None:
        tenant.lock = lock = Locks()
        tenant.rules = SyncRules(customer_id_attribute="crm", coalesce_seconds=0)
        meanwhile: list[Callable[[], object]] = []

        def sync(contact_id: str, tier: str, moment: datetime) -> str:
            values = {"tier": tier, "crm": "crm-7"}
            about: Any = {"contact_id": contact_id, "attributes": values, "occurred_at": moment}
            return tenant.sync(**about).status

        class Interrupted(FakeCustomers):
            def put_attributes(self, *asked: Any) -> None:
                if meanwhile:
                    meanwhile.pop()()
                super().put_attributes(*asked)

        def newer_in_between() -> None:
            with pytest.raises(errors.Postponed, match="customer is in use"):
                sync("b", "gold", LATER)

        tenant.customers = Interrupted()
        meanwhile.append(newer_in_between)
        assert sync("a", "tin", NOON) == "done"
        assert sync("b", "gold", LATER) == "done"
        assert tenant.value("tier", "crm-7") == "gold"
        assert lock.held == set()


class TestWrites:
    def test_a_write_without_an_answer_may_be_repeated(self, tenant: Tenant) -> None:
        tenant.customers.refusal = outcome_unknown()
        asked = Operation(tenant=tenant, message=message())
        with pytest.raises(errors.OutcomeUnknown):
            asked.run()
        tenant.customers.refusal = None
        assert asked.run().status == "done"

    def test_what_a_write_without_an_answer_may_have_changed_is_written_again(
        self, tenant: Tenant
    ) -> None:
        class Deaf(FakeCustomers):
            def put_attributes(self, customer_id: str, asked: Sequence[CustomerAttribute]) -> None:
                super().put_attributes(customer_id, asked)
                if asked[0].value == "tin":
                    raise outcome_unknown()

        tenant.customers = Deaf()
        tenant.sync(attributes={"tier": "gold"})
        with pytest.raises(errors.OutcomeUnknown):
            tenant.sync(attributes={"tier": "tin"})
        assert tenant.value("tier") == "tin"
        tenant.sync(attributes={"tier": "gold"})
        assert tenant.value("tier") == "gold"

    def test_a_readable_target_is_read_before_a_write_that_may_have_happened_is_repeated(
        self, tenant: Tenant
    ) -> None:
        tenant.customers.shape = replace(tenant.customers.shape, readable=True)
        tenant.customers.customers["contact"] = {
            "tier": CustomerAttribute(name="Tier", type="string", value="gold"),
            "lang": CustomerAttribute(name="lang", type="string", value="de"),
        }
        outcome = tenant.sync(attributes={"tier": "gold", "lang": "en"})
        assert tenant.customers.calls == [("contact", ("lang",))]
        assert outcome.detail["unchanged"] == ["tier"]

    def test_a_number_that_reads_like_a_boolean_is_another_value(self, tenant: Tenant) -> None:
        tenant.customers.shape = replace(tenant.customers.shape, readable=True)
        held = CustomerAttribute(name="vip", type="boolean", value=True)
        tenant.customers.customers["contact"] = {"vip": held}
        assert tenant.sync(attributes={"vip": "1"}).status == "done"

    def test_a_customer_who_has_objected_is_not_written(self, tenant: Tenant) -> None:
        tenant.customers.shape = replace(tenant.customers.shape, readable=True)
        tenant.customers.customers["contact"] = {}
        tenant.customers.unwritable = {"contact": "prevent_data_collection is set"}
        outcome = tenant.sync()
        assert outcome.status == "noop"
        assert outcome.detail["skipped"] == "prevent_data_collection is set"
        assert (outcome.detail["sent"], outcome.detail["unchanged"]) == ([], [])
        assert (tenant.customers.calls, tenant.waits) == ([], {})

    def test_a_field_that_the_target_requires_and_the_customer_lacks_is_named(
        self, tenant: Tenant
    ) -> None:
        tenant.customers.shape = replace(tenant.customers.shape, readable=True)
        tenant.customers.customers["contact"] = {}
        tenant.customers.defined = {
            "tier": Definition(name="tier", type="text"),
            "number": Definition(name="number", type="text", required=True),
        }
        with pytest.raises(errors.Rejected, match="the target requires 'number'"):
            tenant.sync(attributes={"tier": "gold"})
        assert tenant.sync(attributes={"tier": "gold", "number": "x"}).status == "done"

    def test_a_broken_mapping_writes_nothing(self, tenant: Tenant) -> None:
        tenant.rules = SyncRules(fields={"tier": FieldRule(type="number")})
        with pytest.raises(errors.Rejected, match="'tier' is not a number"):
            tenant.sync()
        assert tenant.customers.calls == []

    def test_what_the_target_does_not_define_is_named_before_anything_waits(
        self, tenant: Tenant
    ) -> None:
        tenant.customers.defined = {"tier": Definition(name="tier", type="list")}
        with pytest.raises(errors.Rejected, match=r"'tier' is none of .* 'vip' maps to 'vip'"):
            tenant.sync(attributes={"tier": "gold", "vip": "true"})
        assert tenant.waits == {}

    def test_the_outcome_quotes_no_value(self, tenant: Tenant) -> None:
        outcome = tenant.sync(attributes={"mail": "ann@example.com"})
        assert "ann@" not in repr(outcome)


class TestCoalescing:
    @pytest.fixture
    def tenant(self) -> Tenant:
        made = Tenant(rules=SyncRules(coalesce_seconds=2))
        made.contact(tier="gold")
        return made

    def test_a_message_waits_for_its_customers_window_and_reads_the_contact_once(
        self, tenant: Tenant
    ) -> None:
        waiting = tenant.gather()
        assert tenant.customers.calls == []
        assert waiting.run().status == "done"
        assert tenant.genesys.verbs() == ["read_contact"]

    def test_ten_messages_of_one_window_end_in_one_write_of_the_newest_values(
        self, tenant: Tenant
    ) -> None:
        moments = [3, 9, 1, 7, 0, 5, 2, 8, 4, 6]
        waiting = [
            tenant.gather(
                attributes={"tier": f"tier-{moment}", f"only-{moment}": "x"},
                occurred_at=NOON + moment * SECOND,
            )
            for moment in moments
        ]
        outcomes = [each.run() for each in waiting]
        assert len(tenant.customers.calls) == 1
        assert tenant.value("tier") == "tier-9"
        assert len(tenant.customers.customers["contact"]) == 11
        assert [each.status for each in outcomes] == ["done"] + ["noop"] * 9
        first, newest, *others = outcomes
        assert first.detail["sent"] == ["only-3"]
        assert first.detail["superseded"] == ["tier"]
        assert "tier" in cast(list[str], first.detail["along"])
        assert newest.detail["joined"] == ["only-9", "tier"]
        for each in others:
            assert each.detail["superseded"] == ["tier"]
            assert each.detail["superseded_by"] == [waiting[1].name]

    def test_a_message_that_comes_back_to_an_unwritten_newer_value_writes_it(
        self, tenant: Tenant
    ) -> None:
        older = tenant.gather(attributes={"tier": "tin"}, occurred_at=NOON)
        newer = tenant.gather(attributes={"tier": "gold"}, occurred_at=LATER)
        assert older.run().status == "done"
        assert tenant.value("tier") == "gold"
        assert newer.run().detail["joined"] == ["tier"]

    def test_values_that_the_store_refuses_keep_no_others_from_being_written(
        self, tenant: Tenant
    ) -> None:
        tenant.customers.refused = {"bad"}
        good = tenant.gather(attributes={"tier": "gold"})
        bad = tenant.gather(attributes={"bad": "x"})
        last = tenant.gather(attributes={"lang": "de"})
        assert good.run().detail["sent"] == ["tier"]
        with pytest.raises(errors.Unprocessable):
            bad.run()
        assert last.run().detail["sent"] == ["lang"]
        assert tenant.customers.customers["contact"].keys() == {"tier", "lang"}
        assert tenant.waits == {}

    def test_what_cannot_be_written_now_holds_the_customers_other_messages_up_without_a_call(
        self, tenant: Tenant
    ) -> None:
        first, second = tenant.gather(), tenant.gather(attributes={"lang": "de"})
        tenant.customers.refusal = errors.Postponed("takes no more writes of this record", 3.5)
        with pytest.raises(errors.Postponed, match="of this record"):
            first.run()
        with pytest.raises(errors.Postponed, match="takes no writes yet") as caught:
            second.run()
        assert caught.value.wait == 3.5
        assert len(tenant.customers.calls) == 1
        tenant.customers.refusal = None
        tenant.holds.clear()
        assert second.run().detail["along"] == ["tier"]
        assert first.run().detail["joined"] == ["tier"]

    def test_values_that_were_lost_while_they_waited_are_gathered_again(
        self, tenant: Tenant
    ) -> None:
        waiting = tenant.gather()
        tenant.waits.clear()
        with pytest.raises(errors.Postponed, match="are gathered"):
            waiting.run()
        assert waiting.run().status == "done"
        assert tenant.value("tier") == "gold"

    def test_a_message_whose_values_are_written_needs_no_lock(self, tenant: Tenant) -> None:
        tenant.lock = lock = Locks()
        first, second = tenant.gather(), tenant.gather()
        first.run()
        lock.held.add("customer:contact")
        assert second.run().status == "noop"

    def test_two_messages_do_not_write_to_one_customer_at_once(self, tenant: Tenant) -> None:
        tenant.lock = Locks(held={"customer:contact"})
        waiting = tenant.gather()
        with pytest.raises(errors.Postponed, match="customer is in use"):
            waiting.run()
        assert tenant.customers.calls == []
