"""The guide contract against the sandbox: exactly the documented calls, with exact results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tasks import errors
from tasks.apis.customers import CustomerAttribute
from tasks.apis.cxone_guide import SCOPES, CxoneGuide
from tasks.apis.genesys import Consent, Contact
from tasks.apis.genesys_guide import GenesysGuide
from tasks.apis.systems import Systems
from tasks.apis.tokens import ClientCredentials, Grant, JwtBearer
from tasks.attributes import set_attributes
from tasks.mapping import FieldRule, SyncRules
from tasks.merge import merge_profiles
from tasks.messages import MergeProfiles, SetAttributes, SyncProfile
from tasks.sync import sync_profile
from tests.integration.outside import Outside, answer
from tests.integration.outside import running as running_outside
from tests.integration.seams import http
from tests.unit.tasks.fakes import FakeNewest
from workers.sandbox.testing import SandboxHandle, running

PARTICIPANTS = "/api/v2/conversations/voice/participants"


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[SandboxHandle]:
    with running(requests_per_minute=10_000) as handle:
        yield handle


@pytest.fixture
def sandbox(running_sandbox: SandboxHandle) -> SandboxHandle:
    running_sandbox.clear_faults()
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture(scope="module")
def pem() -> tuple[str, str]:
    """A private key and its public key, PEM both."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def genesys_with(sandbox: SandboxHandle, grant: Grant, path: str = "/oauth/token") -> GenesysGuide:
    url = sandbox.genesys_url
    return GenesysGuide(http=http(url, token_url=f"{url}{path}", grant=grant))


@pytest.fixture
def genesys(sandbox: SandboxHandle) -> GenesysGuide:
    grant = ClientCredentials(client_id="sandbox-client", client_secret="sandbox-secret")
    return genesys_with(sandbox, grant)


@pytest.fixture
def cxone(sandbox: SandboxHandle) -> CxoneGuide:
    grant = ClientCredentials(
        client_id="sandbox-cxone", client_secret="sandbox-cxone-secret", scope=SCOPES
    )
    return CxoneGuide(http=http(sandbox.cxone_url, system="cxone", grant=grant))


def journal(sandbox: SandboxHandle) -> list[tuple[str, str, int]]:
    """Method, path and status of every request."""
    return [(each["method"], each["path"], each["status"]) for each in sandbox.journal()]


TOKEN = ("POST", "/oauth/token", 200)


def add_profile(sandbox: SandboxHandle, profile_id: str, *links: str, **attributes: Any) -> None:
    linked = [{"profileId": link} for link in links]
    body = {"profileId": profile_id, "customAttributes": attributes, "links": linked}
    sandbox.put("profiles", profile_id, body)


def participant(participant_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": participant_id,
        "name": "Ann",
        "type": "user",
        "state": "connected",
        "participantAttributes": {},
        "lastUpdated": "2025-01-15T00:00:00.000Z",
        **fields,
    }


def add_conversation(sandbox: SandboxHandle, *participants: dict[str, Any]) -> None:
    body = {"id": "conv", "state": "active", "participants": list(participants)}
    sandbox.put("conversations", "conv", body)


def test_a_profile_is_read_by_id(sandbox: SandboxHandle, genesys: GenesysGuide) -> None:
    add_profile(sandbox, "p-1", "p-2", "p-3", tier="gold", score=7)
    profile = genesys.read_profile("p-1")
    assert profile.id == "p-1"
    assert profile.attributes == {"tier": "gold", "score": 7}
    assert profile.links == {"p-2", "p-3"}
    assert journal(sandbox) == [TOKEN, ("GET", "/api/v2/identity/profiles/p-1", 200)]


def test_a_profile_of_another_organisation_is_unknown(
    sandbox: SandboxHandle, genesys: GenesysGuide
) -> None:
    (foreign, *_) = sandbox.ids("profiles", "acme")
    with pytest.raises(errors.NotFound):
        genesys.read_profile(foreign)


def test_consents_are_read_and_a_404_means_none(
    sandbox: SandboxHandle, genesys: GenesysGuide
) -> None:
    add_profile(sandbox, "p-1")
    add_profile(sandbox, "p-2")
    given = [{"purpose": "marketing", "status": "denied"}]
    sandbox.put("consents", "p-1", {"consents": given})
    assert genesys.read_consents("p-1") == (Consent(purpose="marketing", status="denied"),)
    assert genesys.read_consents("p-2") == ()
    assert journal(sandbox)[1:] == [
        ("GET", "/api/v2/profiles/p-1/consent", 200),
        ("GET", "/api/v2/profiles/p-2/consent", 404),
    ]


def test_a_merge_is_one_post_with_one_effect(sandbox: SandboxHandle, genesys: GenesysGuide) -> None:
    for profile_id in ("t", "s-1", "s-2"):
        add_profile(sandbox, profile_id)
    assert genesys.merge("t", ["s-1", "s-2"], "source_wins") == "t"
    assert journal(sandbox) == [TOKEN, ("POST", "/api/v2/identity/profiles/merge", 200)]
    (effect,) = sandbox.effects(kind="profiles.merged")
    assert effect["detail"] == {"target": "t", "sources": ["s-1", "s-2"], "policy": "source_wins"}


@pytest.mark.parametrize(
    ("target_links", "source_links", "code"),
    [(["s"], [], "profile.already.linked"), ([], ["t"], "profile.link.circular")],
)
def test_a_merge_that_meets_links_is_a_changed_state(
    sandbox: SandboxHandle,
    genesys: GenesysGuide,
    target_links: list[str],
    source_links: list[str],
    code: str,
) -> None:
    add_profile(sandbox, "t", *target_links)
    add_profile(sandbox, "s", *source_links)
    with pytest.raises(errors.StateChanged) as caught:
        genesys.merge("t", ["s"], "target_wins")
    assert caught.value.code == code


def test_a_merge_beyond_fifty_attributes_is_unprocessable(
    sandbox: SandboxHandle, genesys: GenesysGuide
) -> None:
    add_profile(sandbox, "t", **{f"a{n}": "x" for n in range(30)})
    add_profile(sandbox, "s", **{f"b{n}": "x" for n in range(21)})
    with pytest.raises(errors.Unprocessable) as caught:
        genesys.merge("t", ["s"], "custom")
    assert caught.value.code == "attribute.limit.exceeded"


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (3, 1), (99, 1), (100, 2), (230, 3)])
def test_participants_of_all_pages_are_listed(
    sandbox: SandboxHandle, genesys: GenesysGuide, count: int, pages: int
) -> None:
    add_conversation(sandbox, *(participant(f"part-{n}") for n in range(count)))
    found = [each.id for each in genesys.participants("conv")]
    assert found == [f"part-{n}" for n in range(count)]
    assert [(each["path"], each["query"]) for each in sandbox.journal(method="GET")] == [
        (
            PARTICIPANTS,
            {"conversationId": "conv", "pageSize": "100", "pageNumber": str(page)},
        )
        for page in range(1, pages + 1)
    ]


def test_a_participant_is_read_written_and_read_back(
    sandbox: SandboxHandle, genesys: GenesysGuide
) -> None:
    add_conversation(sandbox, participant("p", participantAttributes={"lang": "de"}))
    before = genesys.read_participant("conv", "p")
    genesys.set_attributes("conv", "p", {"tier": "gold"})
    after = genesys.read_participant("conv", "p")
    assert (before.state, before.attributes) == ("connected", {"lang": "de"})
    assert before.roles == {"user"}
    assert after.attributes == {"lang": "de", "tier": "gold"}
    assert after.last_updated > before.last_updated
    assert journal(sandbox) == [
        TOKEN,
        ("GET", f"{PARTICIPANTS}/p", 200),
        ("PATCH", f"{PARTICIPANTS}/p", 200),
        ("GET", f"{PARTICIPANTS}/p", 200),
    ]
    (effect,) = sandbox.effects(kind="participant.attributes")
    assert effect["detail"]["keys"] == ["tier"]


def test_a_participant_that_changed_meanwhile_is_a_changed_state(
    sandbox: SandboxHandle, genesys: GenesysGuide
) -> None:
    add_conversation(sandbox, participant("p"))
    changes = {"participantAttributes": {"tier": "tin"}}
    sandbox.fault(kind="foreign_write", method="GET", changes=changes)
    genesys.read_participant("conv", "p")
    with pytest.raises(errors.StateChanged):
        genesys.set_attributes("conv", "p", {"tier": "gold"})


def test_an_ended_conversation_takes_no_attributes(
    sandbox: SandboxHandle, genesys: GenesysGuide
) -> None:
    body = {"id": "conv", "state": "ended", "participants": [participant("p")]}
    sandbox.put("conversations", "conv", body)
    with pytest.raises(errors.NotFound):
        genesys.set_attributes("conv", "p", {"tier": "gold"})


def test_a_contact_is_read_with_its_digits(sandbox: SandboxHandle, genesys: GenesysGuide) -> None:
    attributes = {" Last  Name": "Ann", "balance": Decimal("12500.50"), "no": "00123", "x": None}
    sandbox.put("contacts", "c-1", {"contactId": "c-1", "attributes": attributes})
    assert genesys.read_contact("c-1") == Contact(id="c-1", attributes=attributes)
    assert journal(sandbox) == [TOKEN, ("GET", "/api/v2/interactions/contacts/c-1", 200)]


def test_a_customer_gets_its_attributes_typed_and_exact(
    sandbox: SandboxHandle, cxone: CxoneGuide
) -> None:
    customer_id = "email_someone@example.com"
    sandbox.put("customers", customer_id, {"customerId": customer_id, "attributes": {}})
    sent = [
        CustomerAttribute(name="tier", type="string", value="gold"),
        CustomerAttribute(name="balance", type="number", value=Decimal("12500.50")),
        CustomerAttribute(name="vip", type="boolean", value=True),
        CustomerAttribute(name="since", type="date", value="2024-02-29"),
    ]
    cxone.put_attributes(customer_id, sent)
    cxone.put_attributes(customer_id, sent[:1])
    stored = sandbox.get("customers", customer_id)["attributes"]
    assert stored == {each.name: {"value": each.value, "type": each.type} for each in sent}
    assert str(stored["balance"]["value"]) == "12500.50"
    route = "/api/v2/customers/{customerId}/attributes"
    assert [(each["method"], each["route"]) for each in sandbox.journal(method="PUT")] == [
        ("PUT", route),
        ("PUT", route),
    ]


def test_a_value_that_the_store_refuses_is_not_quoted(
    sandbox: SandboxHandle, cxone: CxoneGuide
) -> None:
    (customer_id, *_) = sandbox.ids("customers")
    good = CustomerAttribute(name="sin", type="string", value="x")
    bad = CustomerAttribute(name="since", type="date", value="Ann's birthday")
    with pytest.raises(errors.Unprocessable) as caught:
        cxone.put_attributes(customer_id, [good, bad])
    assert caught.value.fields == {"since": "refused"}
    assert str(caught.value).endswith("/attributes: since: refused")
    assert "Ann" not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


def test_an_unknown_customer_is_not_found(cxone: CxoneGuide) -> None:
    with pytest.raises(errors.NotFound):
        cxone.put_attributes("nobody", [CustomerAttribute(name="a", type="string", value="b")])


@pytest.mark.parametrize("path", ["/oauth/token", "/login/oauth2/token"])
def test_the_jwt_bearer_grant_is_taken(
    sandbox: SandboxHandle, pem: tuple[str, str], path: str
) -> None:
    private, public = pem
    sandbox.put_client("jwt-client", system="genesys", organization="default", public_key=public)
    grant = JwtBearer(
        client_id="jwt-client",
        private_key=private,
        audience=f"{sandbox.genesys_url}/api/v2/oauth/token",
        scope="identity:profile:read",
    )
    genesys = genesys_with(sandbox, grant, path)
    add_profile(sandbox, "p-1")
    assert genesys.read_profile("p-1").id == "p-1"
    assert journal(sandbox) == [
        ("POST", path, 200),
        ("GET", "/api/v2/identity/profiles/p-1", 200),
    ]


def test_an_assertion_for_another_audience_is_refused(
    sandbox: SandboxHandle, pem: tuple[str, str]
) -> None:
    private, public = pem
    sandbox.put_client("jwt-client", system="genesys", organization="default", public_key=public)
    grant = JwtBearer(client_id="jwt-client", private_key=private, audience="https://else.where")
    with pytest.raises(errors.ApiError) as caught:
        genesys_with(sandbox, grant).read_profile("p-1")
    assert caught.value.route == "/oauth/token"
    assert [each["status"] < 500 for each in sandbox.journal()] == [True]


def test_a_wrong_token_path_is_no_unknown_profile(sandbox: SandboxHandle) -> None:
    add_profile(sandbox, "t")
    add_profile(sandbox, "s")
    grant = ClientCredentials(client_id="sandbox-client", client_secret="sandbox-secret")
    message = MergeProfiles(source_profile_ids=["s"], target_profile_id="t")
    with pytest.raises(errors.Unauthenticated, match="token_path") as caught:
        merge_profiles(message, genesys_with(sandbox, grant, "/wrong/token"))
    assert caught.value.status == 404


def test_a_wrong_secret_is_no_way_in(sandbox: SandboxHandle) -> None:
    grant = ClientCredentials(client_id="sandbox-client", client_secret="wrong")
    with pytest.raises(errors.Unauthenticated) as caught:
        genesys_with(sandbox, grant).read_profile("p-1")
    assert caught.value.code == "invalid_client"


def test_an_expired_token_is_renewed_and_the_call_repeated_once(
    sandbox: SandboxHandle, genesys: GenesysGuide
) -> None:
    add_profile(sandbox, "p-1")
    genesys.read_profile("p-1")
    sandbox.fault(kind="expire_tokens", method="GET")
    assert genesys.read_profile("p-1").id == "p-1"
    path = "/api/v2/identity/profiles/p-1"
    assert journal(sandbox) == [
        TOKEN,
        ("GET", path, 200),
        ("GET", path, 401),
        TOKEN,
        ("GET", path, 200),
    ]


@pytest.fixture
def newest() -> FakeNewest:
    return FakeNewest(first_claim=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_whole_merge_makes_the_documented_calls_and_its_repeat_only_reads(
    sandbox: SandboxHandle, genesys: GenesysGuide
) -> None:
    add_profile(sandbox, "t")
    add_profile(sandbox, "s")
    message = MergeProfiles(source_profile_ids=["s"], target_profile_id="t")
    reads = [
        ("GET", "/api/v2/identity/profiles/t", 200),
        ("GET", "/api/v2/identity/profiles/s", 200),
        ("GET", "/api/v2/profiles/t/consent", 404),
        ("GET", "/api/v2/profiles/s/consent", 404),
    ]
    assert merge_profiles(message, genesys).status == "done"
    assert journal(sandbox) == [TOKEN, *reads, ("POST", "/api/v2/identity/profiles/merge", 200)]
    assert merge_profiles(message, genesys).status == "noop"
    assert journal(sandbox)[6:] == reads
    assert len(sandbox.effects()) == 1


def test_a_merge_whose_answer_is_lost_takes_effect_once(
    sandbox: SandboxHandle, genesys: GenesysGuide
) -> None:
    add_profile(sandbox, "t")
    add_profile(sandbox, "s")
    sandbox.fault(kind="reset_after", method="POST", path="/api/v2/identity/profiles/merge")
    message = MergeProfiles(source_profile_ids=["s"], target_profile_id="t")
    with pytest.raises(errors.OutcomeUnknown):
        merge_profiles(message, genesys)
    assert merge_profiles(message, genesys).status == "noop"
    assert len(sandbox.effects(kind="profiles.merged")) == 1


def test_a_merge_along_a_chain_of_merges_is_a_noop_after_one_post(
    sandbox: SandboxHandle, genesys: GenesysGuide
) -> None:
    add_profile(sandbox, "t-2", "t-1")
    add_profile(sandbox, "t-1", "s")
    add_profile(sandbox, "s")
    message = MergeProfiles(source_profile_ids=["s"], target_profile_id="t-2")
    assert merge_profiles(message, genesys).status == "noop"
    assert journal(sandbox)[5:] == [
        ("POST", "/api/v2/identity/profiles/merge", 409),
        ("GET", "/api/v2/identity/profiles/t-1", 200),
    ]


def test_a_source_of_a_stranger_does_not_hold_up_the_others(
    sandbox: SandboxHandle, genesys: GenesysGuide
) -> None:
    add_profile(sandbox, "stranger", "s-1")
    for profile_id in ("t", "s-1", "s-2"):
        add_profile(sandbox, profile_id)
    message = MergeProfiles(source_profile_ids=["s-1", "s-2"], target_profile_id="t")
    with pytest.raises(errors.StateChanged):
        merge_profiles(message, genesys)
    (effect,) = sandbox.effects(kind="profiles.merged")
    assert effect["detail"]["sources"] == ["s-2"]


def test_attributes_are_found_written_and_verified(
    sandbox: SandboxHandle, genesys: GenesysGuide, newest: FakeNewest
) -> None:
    add_conversation(sandbox, participant("ringing", state="ringing"), participant("connected"))
    message = SetAttributes(conversation_id="conv", attributes={"tier": "gold"})
    systems = Systems(genesys=genesys, customers=None, sync=SyncRules(), newest=newest)
    outcome = set_attributes(message, systems)
    assert outcome.detail["participant_id"] == "connected"
    assert outcome.detail["confirmed"] == ["tier"]
    assert journal(sandbox) == [
        TOKEN,
        ("GET", PARTICIPANTS, 200),
        ("PATCH", f"{PARTICIPANTS}/connected", 200),
        ("GET", f"{PARTICIPANTS}/connected", 200),
    ]


def test_contacts_as_they_are_reach_their_customers(
    sandbox: SandboxHandle, genesys: GenesysGuide, cxone: CxoneGuide, newest: FakeNewest
) -> None:
    for contact_id in sandbox.ids("contacts")[:60]:
        message = SyncProfile(contact_id=contact_id)
        rules = SyncRules(coalesce_seconds=0)
        systems = Systems(genesys=genesys, customers=cxone, sync=rules, newest=newest)
        outcome = sync_profile(message, systems)
        sent = sandbox.get("customers", contact_id)["attributes"]
        source = sandbox.get("contacts", contact_id)["attributes"]
        assert sent.keys() == {name for name, value in source.items() if value is not None}
        assert outcome.status == ("done" if sent else "noop")


def test_a_mapped_field_reaches_the_store_under_its_name_and_type(
    sandbox: SandboxHandle, genesys: GenesysGuide, cxone: CxoneGuide, newest: FakeNewest
) -> None:
    attributes = {" Acct  No": "00123", "balance": "12500.50", "note": "x"}
    sandbox.put("contacts", "c", {"contactId": "c", "attributes": attributes})
    sandbox.put("customers", "crm-1", {"customerId": "crm-1", "attributes": {}})
    fields = {" Acct  No": FieldRule(target="account"), "balance": FieldRule(type="number")}
    rules = SyncRules(fields=fields, unmapped="ignore", coalesce_seconds=0)
    systems = Systems(genesys=genesys, customers=cxone, sync=rules, newest=newest)
    message = SyncProfile(contact_id="c", customer_id="crm-1")
    assert sync_profile(message, systems).detail["left_out"] == ["note"]
    assert sandbox.get("customers", "crm-1")["attributes"] == {
        "account": {"value": "00123", "type": "string"},
        "balance": {"value": Decimal("12500.50"), "type": "number"},
    }


VERBS: dict[str, tuple[str, Callable[[GenesysGuide], object]]] = {
    "read_profile": ("identity:profile:read", lambda g: g.read_profile("x")),
    "read_consents": ("consent:read", lambda g: g.read_consents("x")),
    "merge": ("identity:profile:write", lambda g: g.merge("x", ["y"], "custom")),
    "participants": ("conversation:view", lambda g: list(g.participants("x"))),
    "read_participant": ("conversation:view", lambda g: g.read_participant("x", "y")),
    "set_attributes": ("conversation:update", lambda g: g.set_attributes("x", "y", {"a": "b"})),
    "read_contact": ("interaction:contact:read", lambda g: g.read_contact("x")),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_403_names_the_scope_that_the_verb_needs(
    sandbox: SandboxHandle, genesys: GenesysGuide, verb: str
) -> None:
    scope, call = VERBS[verb]
    sandbox.put_client("sandbox-client", scopes=["profile:read"])
    with pytest.raises(errors.Forbidden) as caught:
        call(genesys)
    assert caught.value.missing == scope


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    with running_outside() as system:
        yield system


@pytest.mark.parametrize("verb", VERBS)
def test_a_403_that_names_no_scope_is_told_by_the_verb(outside: Outside, verb: str) -> None:
    outside.behaviours = [answer(403, {"message": "no"})]
    scope, call = VERBS[verb]
    with pytest.raises(errors.Forbidden) as caught:
        call(GenesysGuide(http=http(outside.url)))
    assert caught.value.missing == scope


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - {"set_attributes"}))
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(None, id="none"),
        pytest.param([], id="a list"),
        pytest.param("text", id="a text"),
        pytest.param({"id": 7, "profileId": 7, "contactId": 7, "consents": 7}, id="numbers"),
    ],
)
def test_a_body_of_another_shape_counts_as_unreadable(
    outside: Outside, verb: str, body: object
) -> None:
    outside.behaviours = [answer(200, body)]
    with pytest.raises(errors.OutcomeUnknown):
        VERBS[verb][1](GenesysGuide(http=http(outside.url)))


def test_nulls_are_as_good_as_no_fields(outside: Outside) -> None:
    genesys = GenesysGuide(http=http(outside.url))
    nulls = {"customAttributes": None, "links": None, "attributes": None, "consents": None}
    outside.behaviours = [answer(200, {"id": "x", "profileId": "x", "contactId": "x", **nulls})]
    assert genesys.read_contact("x") == Contact(id="x", attributes={})
    assert genesys.read_profile("x").links == frozenset()
    assert genesys.read_consents("x") == ()
    assert genesys.read_participant("c", "x").attributes == {}


def test_a_server_with_smaller_pages_is_followed_to_the_end(outside: Outside) -> None:
    full = {"entities": [participant("a"), participant("b")], "pageSize": 2}
    last = {"entities": [participant("c")], "pageSize": 2}
    outside.behaviours = [answer(200, full), answer(200, last), answer(500)]
    found = GenesysGuide(http=http(outside.url)).participants("conv")
    assert [each.id for each in found] == ["a", "b", "c"]


def test_a_server_that_knows_one_page_of_participants_only_is_asked_twice(
    outside: Outside,
) -> None:
    outside.requests.clear()
    page = {"entities": [participant("a"), participant("b")], "pageSize": 2}
    outside.behaviours = [answer(200, page)]
    with pytest.raises(errors.OutcomeUnknown, match="a page brings nothing new"):
        list(GenesysGuide(http=http(outside.url)).participants("conv"))
    assert len(outside.requests) == 2


@pytest.mark.parametrize("named", [True, False], ids=["with ids", "without ids"])
def test_a_server_that_knows_one_page_of_its_audit_only_is_asked_twice(
    outside: Outside, named: bool
) -> None:
    outside.requests.clear()
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    records = [
        {"action": "a", "organizationId": "o", "timestamp": f"2026-01-01T00:00:{n:02}Z"}
        | ({"id": f"r-{n}"} if named else {})
        for n in range(25)
    ]
    outside.behaviours = [answer(200, {"records": records})]
    with pytest.raises(errors.OutcomeUnknown, match="a page brings nothing new"):
        list(GenesysGuide(http=http(outside.url)).configuration_changes(["o"], moment, moment))
    assert len(outside.requests) == 2


def test_changes_of_one_moment_are_all_counted(outside: Outside) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    records = [{"id": f"r-{n}", "action": "a", "organizationId": "o"} for n in range(60)]
    outside.behaviours = [
        answer(200, {"records": records[start : start + 25]}) for start in (0, 25, 50)
    ]
    genesys = GenesysGuide(http=http(outside.url))
    assert len(list(genesys.configuration_changes(["o"], moment, moment))) == 60


def test_a_page_of_a_sweep_that_holds_nothing_and_is_not_the_last_is_no_page(
    outside: Outside,
) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    outside.behaviours = [answer(200, {"items": [], "nextPage": "c-2"})]
    genesys = GenesysGuide(http=http(outside.url))
    with pytest.raises(errors.OutcomeUnknown, match="a page brings nothing new"):
        genesys.completed_interactions(since=None, until=moment, page_size=100, cursor="c-1")
