"""CXone Digital Engagement against the sandbox: the documented calls, whatever is left open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from tasks import errors
from tasks.apis.customers import Customer, CustomerAttribute, Definition
from tasks.apis.cxone.access_key import (
    ACCESS_KEY_PATH,
    APPLICATION_PATH,
    AccessKey,
    ApplicationAccessKey,
)
from tasks.apis.cxone.definitions import LIFE
from tasks.apis.cxone.settings import DigitalSettings
from tasks.apis.cxone.store import CxoneDigital
from tasks.apis.records import RecordRate
from tasks.apis.remembered import Remembered
from tasks.apis.tokens import Grant
from tests.integration.outside import answer
from tests.integration.outside import running as running_outside
from tests.integration.seams import TokensInMemory, http
from workers.sandbox.testing import SandboxHandle, running

CUSTOMER = "email_someone@example.com"
FIELDS = "/dfo/3.0/customers/{customerId}/custom-fields"
ONE = "/dfo/3.0/customers/{customerId}"
KEY = AccessKey(key_id="sandbox-access-key", key_secret="sandbox-access-key-secret")
THROUGH_APPLICATION = ApplicationAccessKey(
    key_id="sandbox-access-key",
    key_secret="sandbox-access-key-secret",
    application_id="sandbox-application",
    application_secret="sandbox-application-secret",
)
#: What a tenant sets that has asked the vendor and knows.
SURE = DigitalSettings(replaces="named", unknown_ident="refused")


@dataclass(kw_only=True)
class Few:
    """Lets so many writes of any record through."""

    left: int = 1_000
    records: list[str] = field(default_factory=list)

    def take(self, record: str) -> None:
        if not self.left:
            raise errors.Postponed("no more writes", 3.5)
        self.left -= 1
        self.records.append(record)


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[SandboxHandle]:
    with running(requests_per_minute=10_000) as handle:
        yield handle


@pytest.fixture
def sandbox(running_sandbox: SandboxHandle) -> SandboxHandle:
    running_sandbox.clear_faults()
    running_sandbox.options(
        dfo_put="partial", dfo_unknown_ident="refuse", dfo_unknown_customer="refuse"
    )
    running_sandbox.reset()
    stored(running_sandbox, customer_number="0007", city="Bern")
    return running_sandbox


def stored(sandbox: SandboxHandle, **values: str) -> None:
    stamp = "2025-01-15T00:00:00.000Z"
    fields = [{"ident": k, "value": v, "updatedAt": stamp} for k, v in values.items()]
    sandbox.put("cxoneCustomers", CUSTOMER, {"id": CUSTOMER, "customFields": fields})


def values(sandbox: SandboxHandle) -> dict[str, str]:
    fields = sandbox.get("cxoneCustomers", CUSTOMER)["customFields"]
    return {each["ident"]: each["value"] for each in fields}


def store(
    sandbox: SandboxHandle,
    settings: DigitalSettings = SURE,
    *,
    grant: Grant = KEY,
    path: str = ACCESS_KEY_PATH,
    rate: RecordRate | None = None,
    **seams: Any,
) -> CxoneDigital:
    url = sandbox.dfo_url
    return CxoneDigital(
        http=http(url, system="cxone", token_url=url + path, grant=grant, **seams),
        settings=settings,
        discovery=None,
        defined=Remembered(life=LIFE),
        rate=rate or Few(),
    )


def calls(sandbox: SandboxHandle) -> list[tuple[str, str, int]]:
    """Method, route and status of every request but those for tokens."""
    found = [(each["method"], each["route"], each["status"]) for each in sandbox.journal()]
    return [each for each in found if "token" not in each[1]]


def text(name: str, value: str) -> CustomerAttribute:
    return CustomerAttribute(name=name, type="string", value=value)


@pytest.mark.parametrize(
    ("grant", "path"),
    [(KEY, ACCESS_KEY_PATH), (THROUGH_APPLICATION, APPLICATION_PATH)],
    ids=["by itself", "through an application"],
)
def test_an_access_key_gets_a_token_in_both_forms(
    sandbox: SandboxHandle, grant: Grant, path: str
) -> None:
    store(sandbox, grant=grant, path=path).put_attributes(CUSTOMER, [text("city", "Ulm")])
    assert values(sandbox)["city"] == "Ulm"
    assert next(each["path"] for each in sandbox.journal()).endswith(path)


@pytest.mark.parametrize("grant", [KEY, THROUGH_APPLICATION])
def test_no_secret_of_an_access_key_is_in_a_repr(grant: Grant) -> None:
    assert "secret" not in repr(grant).replace("_secret", "")


def test_a_wrong_access_key_is_refused_for_good(sandbox: SandboxHandle) -> None:
    wrong = AccessKey(key_id="sandbox-access-key", key_secret="wrong")
    with pytest.raises(errors.Unauthenticated) as refused:
        store(sandbox, grant=wrong).read(CUSTOMER)
    assert "wrong" not in str(refused.value)
    assert calls(sandbox) == []


def test_a_token_that_has_expired_is_renewed_once(sandbox: SandboxHandle) -> None:
    tokens = TokensInMemory()
    store(sandbox, tokens=tokens).read(CUSTOMER)
    tokens.tokens = dict.fromkeys(tokens.tokens, "expired")
    assert store(sandbox, tokens=tokens).read(CUSTOMER) is not None
    assert [status for _, _, status in calls(sandbox)] == [200, 401, 200]


def test_a_customer_is_read_by_an_id_that_needs_encoding(sandbox: SandboxHandle) -> None:
    found = store(sandbox).read(CUSTOMER)
    assert found == Customer(id=CUSTOMER, attributes={"customer_number": "0007", "city": "Bern"})
    assert "Bern" not in repr(found)


def test_an_unknown_customer_is_none(sandbox: SandboxHandle) -> None:
    assert store(sandbox).read("nobody") is None


def test_definitions_are_read_once_and_remembered(sandbox: SandboxHandle) -> None:
    customers = store(sandbox)
    found = customers.definitions()
    assert customers.definitions() == found
    assert found["customer_number"] == Definition(
        name="customer_number", type="text", required=True
    )
    assert found["newsletter"].type == "list"
    assert found["newsletter"].values == {"true", "false"}
    assert len(calls(sandbox)) == 1


def test_definitions_are_read_again_when_they_are_old(sandbox: SandboxHandle) -> None:
    now = [0.0]
    remembered: Remembered[Any] = Remembered(life=LIFE, clock=lambda: now[0])
    customers = store(sandbox)
    for moment, reads in ((0.0, 1), (LIFE - 1, 1), (LIFE, 2)):
        now[0] = moment
        CxoneDigital(
            http=customers.http, settings=SURE, discovery=None, defined=remembered, rate=Few()
        ).definitions()
        assert len(calls(sandbox)) == reads


def test_values_are_texts_in_a_bare_array(sandbox: SandboxHandle) -> None:
    sent = [
        text("notes", "Grüße"),
        CustomerAttribute(name="lifetime_value", type="number", value=Decimal("12500.50")),
        CustomerAttribute(name="crm_id", type="number", value=Decimal("9" * 40)),
        CustomerAttribute(name="newsletter", type="boolean", value=True),
        CustomerAttribute(name="member_since", type="date", value="2024-02-29"),
    ]
    store(sandbox).put_attributes(CUSTOMER, sent)
    assert values(sandbox) == {
        "customer_number": "0007",
        "city": "Bern",
        "notes": "Grüße",
        "lifetime_value": "12500.50",
        "crm_id": "9" * 40,
        "newsletter": "true",
        "member_since": "2024-02-29",
    }


def test_who_is_sure_writes_what_has_changed_and_no_more(sandbox: SandboxHandle) -> None:
    store(sandbox).put_attributes(CUSTOMER, [text("city", "Ulm")])
    assert calls(sandbox) == [("PUT", FIELDS, 204)]
    (effect,) = sandbox.effects(kind="cxone.fields_put")
    assert effect["detail"]["names"] == ["city"]


@pytest.mark.parametrize("replaces", ["unknown", "all"])
@pytest.mark.parametrize("put", ["partial", "replace"])
def test_a_write_loses_no_field_whichever_way_the_vendor_takes_it(
    sandbox: SandboxHandle, replaces: Any, put: str
) -> None:
    sandbox.options(dfo_put=put)
    customers = store(sandbox, DigitalSettings(replaces=replaces))
    assert not customers.shape.partial
    customers.put_attributes(CUSTOMER, [text("notes", "x"), text("city", "Ulm")])
    assert values(sandbox) == {"customer_number": "0007", "city": "Ulm", "notes": "x"}
    assert calls(sandbox) == [("GET", ONE, 200), ("PUT", FIELDS, 204), ("GET", ONE, 200)]


def test_what_was_read_of_a_customer_serves_one_write(sandbox: SandboxHandle) -> None:
    sandbox.options(dfo_put="replace")
    customers = store(sandbox, DigitalSettings(unknown_ident="refused", replaces="all"))
    customers.read(CUSTOMER)
    customers.put_attributes(CUSTOMER, [text("city", "Ulm")])
    assert calls(sandbox) == [("GET", ONE, 200), ("PUT", FIELDS, 204)]
    stored(sandbox, customer_number="0007", notes="of somebody else")
    customers.put_attributes(CUSTOMER, [text("city", "Bonn")])
    assert values(sandbox)["notes"] == "of somebody else"


def test_a_write_that_is_surely_partial_would_lose_fields_where_it_is_not(
    sandbox: SandboxHandle,
) -> None:
    """The setting is believed: that is why it is not the default."""
    sandbox.options(dfo_put="replace")
    store(sandbox).put_attributes(CUSTOMER, [text("customer_number", "0008")])
    assert values(sandbox) == {"customer_number": "0008"}


def test_a_field_that_the_vendor_ignores_is_found_missing(sandbox: SandboxHandle) -> None:
    sandbox.options(dfo_unknown_ident="ignore")
    with pytest.raises(errors.Unconfirmed) as unconfirmed:
        store(sandbox, DigitalSettings()).put_attributes(CUSTOMER, [text("shoe_size", "46")])
    assert unconfirmed.value.system == "cxone"
    assert "46" not in f"{unconfirmed.value} {vars(unconfirmed.value)}"


def test_an_emptied_field_is_read_back_as_none_at_all() -> None:
    with running_outside() as outside:
        outside.behaviours = [
            answer(body={"customFields": [{"ident": "city", "value": "Bern"}]}),
            answer(204),
            answer(body={"customFields": [{"ident": "city", "value": None}]}),
        ]
        CxoneDigital(
            http=http(outside.url, system="cxone"),
            settings=DigitalSettings(),
            discovery=None,
            defined=Remembered(life=LIFE),
            rate=Few(),
        ).put_attributes(CUSTOMER, [text("city", "")])
    assert outside.requests[1].body == b'[{"ident":"city","value":""}]'
    assert outside.requests[1].target.endswith("/email_someone%40example.com/custom-fields")


def test_refused_fields_are_named_with_their_codes_and_never_with_values(
    sandbox: SandboxHandle,
) -> None:
    wrong = [text("shoe_size", "Ann's"), text("newsletter", "Ann's"), text("notes", "x" * 1_025)]
    with pytest.raises(errors.Unprocessable) as refused:
        store(sandbox).put_attributes(CUSTOMER, wrong)
    assert refused.value.fields == {
        "shoe_size": "customField.unknown",
        "newsletter": "value.invalid",
        "notes": "value.tooLong",
    }
    assert refused.value.system == "cxone"
    assert "Ann" not in f"{refused.value} {refused.value!r} {vars(refused.value)}"
    assert values(sandbox) == {"customer_number": "0007", "city": "Bern"}


@pytest.mark.parametrize("settings", [SURE, DigitalSettings()], ids=["sure", "not sure"])
def test_an_unknown_customer_is_not_written(
    sandbox: SandboxHandle, settings: DigitalSettings
) -> None:
    sandbox.options(dfo_unknown_customer="create" if settings is not SURE else "refuse")
    with pytest.raises(errors.NotFound):
        store(sandbox, settings).put_attributes("nobody", [text("customer_number", "1")])
    assert "nobody" not in sandbox.ids("cxoneCustomers")


@pytest.mark.parametrize("replaces", ["named", "unknown"])
def test_a_customer_is_made_where_a_write_does_that(sandbox: SandboxHandle, replaces: Any) -> None:
    sandbox.options(dfo_unknown_customer="create")
    settings = DigitalSettings(replaces=replaces, unknown_customer="created")
    customers = store(sandbox, settings)
    assert customers.shape.creates
    for city in ("Ulm", "Bern"):
        customers.create("fresh", [text("customer_number", "1"), text("city", city)])
        found = customers.read("fresh")
        assert found is not None
        assert found.attributes == {"customer_number": "1", "city": city}


def test_no_customer_is_made_where_a_write_may_not_do_that(sandbox: SandboxHandle) -> None:
    with pytest.raises(errors.Unsupported, match="unknown_customer"):
        store(sandbox).create("fresh", [text("customer_number", "1")])
    assert calls(sandbox) == []


def test_fields_are_removed_and_a_missing_one_costs_no_call(sandbox: SandboxHandle) -> None:
    customers = store(sandbox)
    customers.remove(CUSTOMER, ["city", "notes"])
    customers.remove(CUSTOMER, ["city"])
    assert values(sandbox) == {"customer_number": "0007"}
    assert [call for call in calls(sandbox) if call[0] == "DELETE"] == [
        ("DELETE", f"{FIELDS}/{{ident}}", 204)
    ]


def test_a_required_field_is_not_removed(sandbox: SandboxHandle) -> None:
    with pytest.raises(errors.Unprocessable) as refused:
        store(sandbox).remove(CUSTOMER, ["customer_number"])
    assert refused.value.fields == {"customer_number": "value.required"}


@pytest.mark.parametrize("settings", [SURE, DigitalSettings()], ids=["sure", "not sure"])
def test_a_write_that_a_record_has_no_room_for_makes_no_call(
    sandbox: SandboxHandle, settings: DigitalSettings
) -> None:
    few = Few(left=1)
    customers = store(sandbox, settings, rate=few)
    customers.put_attributes(CUSTOMER, [text("city", "Ulm")])
    made = len(calls(sandbox))
    with pytest.raises(errors.Postponed):
        customers.put_attributes(CUSTOMER, [text("city", "Bonn")])
    assert len(calls(sandbox)) == made
    assert few.records == [CUSTOMER]


def test_a_removal_goes_on_where_it_had_to_wait(sandbox: SandboxHandle) -> None:
    stored(sandbox, customer_number="0007", city="Bern", notes="x")
    with pytest.raises(errors.Postponed):
        store(sandbox, rate=Few(left=1)).remove(CUSTOMER, ["city", "notes"])
    store(sandbox, rate=Few(left=1)).remove(CUSTOMER, ["city", "notes"])
    assert values(sandbox) == {"customer_number": "0007"}


def test_a_429_without_a_wait_leaves_the_wait_to_the_policy(sandbox: SandboxHandle) -> None:
    sandbox.options(dfo_record_burst=1)
    customers = store(sandbox)
    customers.put_attributes(CUSTOMER, [text("city", "Ulm")])
    with pytest.raises(errors.RateLimited) as limited:
        customers.put_attributes(CUSTOMER, [text("city", "Bonn")])
    assert limited.value.retry_after is None
    sandbox.options(dfo_record_burst=250)
