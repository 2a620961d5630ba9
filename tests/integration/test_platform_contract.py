"""The platform contract against the sandbox: profiles, participants, contacts, tokens, limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tasks import errors
from tasks.apis.genesys_platform.genesys import GenesysPlatform
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.apis.http import Http
from tasks.apis.tokens import Token
from tasks.apis.wire import Wire
from tasks.attributes import first_live
from tasks.merge import merge_profiles
from tasks.messages import MergeProfiles
from tests.integration.outside import Outside, answer
from tests.integration.outside import running as running_outside
from tests.integration.seams import Exchanges, OpenGate, TokensInMemory
from tests.support.platform import checked, connect
from workers.sandbox.testing import ManualClock, SandboxHandle, running

MERGE = "/api/v2/externalcontacts/contacts/merge"
HOME = {"id": "home", "name": "Home"}


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def running_sandbox(clock: ManualClock) -> Iterator[SandboxHandle]:
    with running(clock=clock, requests_per_minute=10_000) as handle:
        yield handle


@pytest.fixture
def sandbox(running_sandbox: SandboxHandle) -> SandboxHandle:
    running_sandbox.clear_faults()
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture
def http(sandbox: SandboxHandle, clock: ManualClock) -> Iterator[Http]:
    with checked(connect(sandbox, clock)) as http:
        yield http


@pytest.fixture
def genesys(http: Http) -> GenesysPlatform:
    return GenesysPlatform(http=http, settings=PlatformSettings())


@pytest.fixture
def outside() -> Iterator[Outside]:
    with running_outside() as system:
        yield system


def platform(outside: Outside, http: Http) -> GenesysPlatform:
    """Return the contract towards `outside` instead of the sandbox."""
    endpoint = replace(http.endpoint, api_url=outside.url, token_url=f"{outside.url}/oauth/token")
    client = replace(http, endpoint=endpoint, wire=Wire())
    return GenesysPlatform(http=client, settings=PlatformSettings())


def put_contact(sandbox: SandboxHandle, contact_id: str, **fields: Any) -> str:
    sandbox.put("externalContacts", contact_id, {"division": HOME, "type": "Curated", **fields})
    return contact_id


@pytest.fixture
def people(sandbox: SandboxHandle) -> tuple[str, str, str]:
    """Three contacts that know different things; the last is the newest."""
    return (
        put_contact(
            sandbox,
            "ann",
            firstName="Ann",
            workEmail="ann@work.example",
            modifyDate="2026-01-01T00:00:00.000Z",
        ),
        put_contact(
            sandbox,
            "anna",
            firstName="Anna",
            title="Dr",
            workEmail="anna@work.example",
            modifyDate="2026-02-01T00:00:00.000Z",
        ),
        put_contact(
            sandbox,
            "annie",
            firstName="Annie",
            title="Ms",
            lastName="Lee",
            modifyDate="2026-03-01T00:00:00.000Z",
        ),
    )


def merges(sandbox: SandboxHandle) -> list[dict[str, Any]]:
    return sandbox.effects(kind="contacts.merged")


def test_a_merge_makes_a_record_to_which_all_ids_resolve(
    genesys: GenesysPlatform, sandbox: SandboxHandle, people: tuple[str, str, str]
) -> None:
    target, *sources = people
    survivor = genesys.merge(target, sources, "target_wins")
    assert survivor not in people
    assert [genesys.read_profile(each).id for each in (*people, survivor)] == [survivor] * 4
    assert genesys.read_contact(target).id == survivor
    (merged,) = merges(sandbox)
    assert merged["detail"]["contacts"] == list(people)


@pytest.mark.parametrize(
    ("policy", "name", "title", "email"),
    [
        ("target_wins", "Ann", "Ms", "ann@work.example"),
        ("source_wins", "Anna", "Dr", "anna@work.example"),
    ],
)
def test_a_policy_decides_whose_fields_are_kept(
    genesys: GenesysPlatform,
    people: tuple[str, str, str],
    policy: str,
    name: str,
    title: str,
    email: str,
) -> None:
    target, *sources = people
    survivor = genesys.merge(target, sources, policy)
    kept = genesys.read_profile(survivor).attributes
    assert (kept["firstName"], kept["title"], kept["workEmail"]) == (name, title, email)
    assert kept["lastName"] == "Lee"
    assert kept["email"] == email


@pytest.mark.parametrize(("policy", "tier"), [("target_wins", "gold"), ("source_wins", "bronze")])
def test_custom_fields_are_joined_under_their_schema(
    genesys: GenesysPlatform, sandbox: SandboxHandle, policy: str, tier: str
) -> None:
    schema = {"id": sandbox.ids("contactSchemas")[0], "version": 1}
    for contact_id, fields in (
        ("target", {"tier_enum": "gold"}),
        ("source", {"tier_enum": "bronze", "city_text": "Oslo"}),
    ):
        put_contact(sandbox, contact_id, schema=schema, customFields=fields)
    survivor = genesys.merge("target", ["source"], policy)
    kept = genesys.read_contact(survivor).attributes
    assert (kept["tier_enum"], kept["city_text"]) == (tier, "Oslo")


def test_contacts_of_the_seed_merge_with_all_that_they_hold(
    genesys: GenesysPlatform, sandbox: SandboxHandle
) -> None:
    ids = sandbox.ids("externalContacts")
    unmerged = [each for each in ids if "mergedTo" not in sandbox.get("externalContacts", each)]
    target, *sources = unmerged[:25]
    assert genesys.merge(target, sources, "source_wins") not in ids


def test_a_redelivered_merge_makes_no_second_call(
    genesys: GenesysPlatform, sandbox: SandboxHandle, people: tuple[str, str, str]
) -> None:
    target, *sources = people
    message = MergeProfiles(target_profile_id=target, source_profile_ids=sources)
    first = merge_profiles(message, genesys)
    again = merge_profiles(message, genesys)
    assert (first.status, again.status) == ("done", "noop")
    assert first.detail["profile_id"] == again.detail["profile_id"]
    assert first.record["consents"] == "not available on this API"
    assert len(merges(sandbox)) == 1


def test_a_merge_whose_answer_was_lost_is_found_as_done(
    genesys: GenesysPlatform, sandbox: SandboxHandle, people: tuple[str, str, str]
) -> None:
    sandbox.fault(kind="reset_after", system="platform", path=MERGE)
    target, *sources = people
    message = MergeProfiles(target_profile_id=target, source_profile_ids=sources)
    with pytest.raises(errors.OutcomeUnknown) as unknown:
        merge_profiles(message, genesys)
    assert unknown.value.settling > 0
    assert merge_profiles(message, genesys).status == "noop"
    assert len(merges(sandbox)) == 1


def test_ids_of_earlier_merges_are_resolved_before_the_next(
    genesys: GenesysPlatform, sandbox: SandboxHandle, people: tuple[str, str, str]
) -> None:
    target, first, second = people
    middle = genesys.merge(target, [first], "target_wins")
    survivor = genesys.merge(target, [second, first], "target_wins")
    assert merges(sandbox)[-1]["detail"]["contacts"] == [middle, second]
    assert genesys.merge(middle, [target, second], "target_wins") == survivor
    assert len(merges(sandbox)) == 2


#: A record that has taken both in.
NEW = {"id": "new", "mergeSet": [{"id": "target"}, {"id": "source"}, {"id": "new"}]}


@pytest.mark.parametrize(
    "results",
    [
        [("target", {"id": "target"}), ("source", NEW)],
        [("source", NEW), ("target", {"id": "target"})],
        [("target", NEW), ("source", {"id": "source"})],
        [("source", {"id": "source"}), ("target", NEW)],
        [("new", NEW)],
        [("target", {"id": "new"}), ("source", {"id": "new"})],
    ],
)
def test_what_any_copy_of_the_store_calls_merged_is_not_merged_again(
    http: Http, outside: Outside, results: list[tuple[str, dict[str, Any]]]
) -> None:
    listed = [{"id": asked, "success": True, "entity": entity} for asked, entity in results]
    outside.behaviours = [answer(body={"results": listed})]
    assert platform(outside, http).merge("target", ["source"], "target_wins") == "new"
    assert len(outside.requests) == 1


def test_a_merge_set_beyond_its_limit_is_rejected_with_the_limit(
    genesys: GenesysPlatform, sandbox: SandboxHandle
) -> None:
    crowd = [put_contact(sandbox, f"c-{number}") for number in range(52)]
    survivor = crowd[0]
    for start in (1, 25):
        survivor = genesys.merge(survivor, crowd[start : start + 24], "target_wins")
    with pytest.raises(errors.Rejected, match="a merge set holds at most 52 contacts"):
        genesys.merge(survivor, crowd[49:], "target_wins")


def test_contacts_of_different_divisions_are_rejected(
    genesys: GenesysPlatform, sandbox: SandboxHandle
) -> None:
    put_contact(sandbox, "here")
    put_contact(sandbox, "there", division={"id": "away", "name": "Away"})
    with pytest.raises(errors.Rejected, match="contacts of different divisions cannot be merged"):
        genesys.merge("here", ["there"], "target_wins")


def test_an_unknown_contact_is_named_and_one_that_vanishes_is_read_again(
    genesys: GenesysPlatform, sandbox: SandboxHandle
) -> None:
    put_contact(sandbox, "here")
    message = MergeProfiles(target_profile_id="here", source_profile_ids=["nobody"])
    with pytest.raises(errors.Rejected, match="there is no profile nobody"):
        merge_profiles(message, genesys)
    with pytest.raises(errors.StateChanged, match="a contact is not there any more"):
        genesys.merge("here", ["nobody"], "target_wins")


def test_a_contact_that_only_the_merge_does_not_find_is_read_again(
    http: Http, outside: Outside
) -> None:
    results = [{"id": each, "entity": {"id": each}} for each in ("target", "source")]
    outside.behaviours = [
        answer(body={"results": results}),
        answer(404, {"code": "entity.not.found"}),
    ]
    with pytest.raises(errors.StateChanged, match=r"answered 404 entity\.not\.found"):
        platform(outside, http).merge("target", ["source"], "target_wins")


def test_a_canonical_record_that_is_not_there_yet_is_asked_for_again(
    http: Http, outside: Outside
) -> None:
    record = {"id": "old", "mergedTo": {"id": "new"}, "canonicalContact": {"id": "new"}}
    outside.behaviours = [answer(body=record), answer(404, {"code": "entity.not.found"})]
    with pytest.raises(errors.OutcomeUnknown, match="it is not there yet"):
        platform(outside, http).read_profile("old")
    contacts = "/api/v2/externalcontacts/contacts"
    asked = [request.target for request in outside.requests]
    assert asked == [f"{contacts}/old/unresolved", f"{contacts}/new"]


def test_a_contact_is_its_standard_and_custom_fields(
    genesys: GenesysPlatform, sandbox: SandboxHandle
) -> None:
    schema = {"id": sandbox.ids("contactSchemas")[0], "version": 1}
    put_contact(
        sandbox,
        "ann",
        firstName="Ann",
        cellPhone={"display": "+1 555-116-8549", "e164": "+15551168549"},
        externalIds=[{"externalSource": {"name": "crm"}, "value": "77"}],
        schema=schema,
        customFields={"tier_enum": "gold", "openCases_integer": 3, "interests_tag": ["a", "b"]},
    )
    contact = genesys.read_contact("ann")
    assert contact.id == "ann"
    assert contact.attributes == {
        "firstName": "Ann",
        "cellPhone": "+15551168549",
        "externalId.crm": "77",
        "tier_enum": "gold",
        "openCases_integer": 3,
        "interests_tag": "a, b",
    }


def put_conversation(sandbox: SandboxHandle, **participants: dict[str, Any]) -> str:
    listed = [
        {"id": name, "attributes": {}, "startTime": "2026-01-01T00:00:00.000Z", **fields}
        for name, fields in participants.items()
    ]
    body = {"startTime": "2026-01-01T00:00:00.000Z", "participants": listed}
    sandbox.put("platformConversations", "talk", body)
    return "talk"


def call_in(state: str) -> dict[str, Any]:
    return {"id": f"call-{state}", "state": state}


def test_participants_are_known_by_purpose_and_by_the_state_of_what_they_take_part_in(
    genesys: GenesysPlatform, sandbox: SandboxHandle
) -> None:
    conversation_id = put_conversation(
        sandbox,
        guest={"purpose": "external", "calls": [call_in("connected")]},
        flow={"purpose": "acd"},
        gone={"purpose": "agent", "calls": [call_in("terminated")]},
        called={"purpose": "agent", "calls": [call_in("disconnected"), call_in("alerting")]},
        talking={
            "purpose": "user",
            "calls": [call_in("alerting")],
            "messages": [call_in("connected"), call_in("disconnected")],
        },
    )
    found = {each.id: ({*each.roles}, each.state) for each in genesys.participants(conversation_id)}
    assert found == {
        "guest": ({"external", "customer"}, "connected"),
        "flow": ({"acd"}, ""),
        "gone": ({"agent", "user"}, "terminated"),
        "called": ({"agent", "user"}, "ringing"),
        "talking": ({"user"}, "connected"),
    }
    live = first_live(p for p in genesys.participants(conversation_id) if "user" in p.roles)
    assert live is not None
    assert live.id == "talking"


@pytest.mark.parametrize("state", ["alerting", "contacting", "offering", "dialing", "scheduled"])
def test_a_communication_that_is_about_to_be_connected_is_ringing(
    http: Http, outside: Outside, state: str
) -> None:
    participant = {"id": "p-1", "purpose": "agent", "callbacks": [{"state": state}]}
    outside.behaviours = [answer(body={"participants": [participant]})]
    (found,) = platform(outside, http).participants("talk")
    assert found.state == "ringing"


def test_attributes_are_accepted_and_seen_a_while_later(
    genesys: GenesysPlatform, sandbox: SandboxHandle, clock: ManualClock
) -> None:
    conversation_id = put_conversation(
        sandbox, guest={"purpose": "customer", "attributes": {"tier": "tin", "lang": "no"}}
    )
    genesys.set_attributes(conversation_id, "guest", {"tier": "gold"})
    before = genesys.read_participant(conversation_id, "guest")
    clock.advance(1)
    after = genesys.read_participant(conversation_id, "guest")
    assert (before.attributes["tier"], after.attributes) == ("tin", {"tier": "gold", "lang": "no"})


def test_a_participant_or_conversation_that_is_unknown_is_not_found(
    genesys: GenesysPlatform, sandbox: SandboxHandle
) -> None:
    conversation_id = put_conversation(sandbox, guest={"purpose": "customer"})
    with pytest.raises(errors.NotFound, match="it has no such participant"):
        genesys.read_participant(conversation_id, "nobody")
    with pytest.raises(errors.NotFound, match=r"conversation\.error\.participant\.not\.found"):
        genesys.set_attributes(conversation_id, "nobody", {"tier": "gold"})
    with pytest.raises(errors.NotFound):
        list(genesys.participants("no-such-talk"))


def test_the_tenants_own_limit_of_attributes_is_a_capability(http: Http) -> None:
    settings = PlatformSettings(attribute_bytes=512)
    assert GenesysPlatform(http=http, settings=settings).capabilities.attribute_bytes == 512


def test_a_missing_permission_is_named_by_the_vendor(
    sandbox: SandboxHandle, genesys: GenesysPlatform
) -> None:
    put_contact(sandbox, "ann")
    sandbox.put_client("platform-client", permissions=["externalContacts:contact:view"])
    assert genesys.read_contact("ann").id == "ann"
    with pytest.raises(errors.Forbidden) as forbidden:
        list(genesys.participants("talk"))
    assert forbidden.value.missing == "conversation:communication:view"
    assert forbidden.value.code == "missing.permissions"
    assert forbidden.value.context_id


@pytest.mark.parametrize("place", ["retry-after", "reset", "body", None])
def test_a_spent_budget_tells_its_wait_in_any_of_its_places_or_not_at_all(
    sandbox: SandboxHandle, genesys: GenesysPlatform, place: str | None
) -> None:
    put_contact(sandbox, "ann")
    sandbox.options(wait_told_in=[place] if place else [])
    sandbox.put_client("platform-client", requests_per_minute=1)
    genesys.read_contact("ann")
    with pytest.raises(errors.RateLimited) as limited:
        genesys.read_contact("ann")
    assert limited.value.retry_after == (60 if place else None)


def test_every_answer_tells_what_is_left_and_what_the_exchange_is_called(
    sandbox: SandboxHandle, http: Http
) -> None:
    put_contact(sandbox, "ann")
    sandbox.put_client("platform-client", requests_per_minute=40)
    gate, log = OpenGate(), Exchanges()
    GenesysPlatform(
        http=replace(http, gate=gate, log=log, correlation_id="told"), settings=PlatformSettings()
    ).read_contact("ann")
    (told,) = gate.told
    assert (told.remaining, told.resets_in) == (39, 60)
    (entry,) = sandbox.journal(system="platform", method="GET", correlation_id="told")
    assert log.references[-1] == entry["context_id"]


def test_a_token_lives_as_long_as_its_client_is_set_to(sandbox: SandboxHandle, http: Http) -> None:
    lives: list[float] = []

    class Lives(TokensInMemory):
        def obtain(self, client: str, fetch: Any, *, refused: str | None = None) -> str:
            def measured() -> Token:
                token: Token = fetch()
                lives.append(token.expires_in)
                return token

            return super().obtain(client, measured, refused=refused)

    sandbox.put_client("platform-client", token_seconds=300)
    put_contact(sandbox, "ann")
    GenesysPlatform(http=replace(http, tokens=Lives()), settings=PlatformSettings()).read_contact(
        "ann"
    )
    assert lives == [300]


def test_an_expired_token_is_renewed_once(
    sandbox: SandboxHandle, genesys: GenesysPlatform, clock: ManualClock
) -> None:
    put_contact(sandbox, "ann")
    sandbox.put_client("platform-client", token_seconds=300)
    genesys.read_contact("ann")
    clock.advance(301)
    assert genesys.read_contact("ann").id == "ann"


def test_too_many_tokens_are_a_limit_and_no_wrong_client(
    sandbox: SandboxHandle, http: Http
) -> None:
    sandbox.options(token_requests_per_minute=1)
    put_contact(sandbox, "ann")

    def fresh() -> GenesysPlatform:
        client = replace(http, tokens=TokensInMemory(), _kept=[])
        return GenesysPlatform(http=client, settings=PlatformSettings())

    fresh().read_contact("ann")
    with pytest.raises(errors.RateLimited, match="invalid_request to POST /oauth/token"):
        fresh().read_contact("ann")
