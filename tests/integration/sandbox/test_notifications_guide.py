"""Notifications of a tenant of the guides: the same service, events of the guides' documents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import aiohttp
import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
CHANNELS = "/api/v2/notifications/channels"
PARTICIPANTS = "/api/v2/conversations/voice/participants"
CONTACT = "v2.externalcontacts.contacts.{id}"
QUEUE = "v2.routing.queues.{id}.conversations.messages"
ATTRIBUTES = "v2.detail.events.conversation.{id}.attributes"
CUSTOMER_END = "v2.detail.events.conversation.{id}.customer.end"


@pytest.fixture
def live(sandbox: SandboxHandle) -> str:
    """A web chat that goes on."""
    return sandbox.ids("interactions", state="active", type="webmessaging")[0]


def told(sandbox: SandboxHandle, template: str, **filters: Any) -> list[dict[str, Any]]:
    """The bodies of what was told of the guides' documents."""
    listed = sandbox.events("detail", template=template, contract="guide", **filters)
    return [each["eventBody"] for each in listed]


def milliseconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() * 1000


def ends(sandbox: SandboxHandle, conversation_id: str) -> list[dict[str, Any]]:
    return told(sandbox, CUSTOMER_END, topic=CUSTOMER_END.format(id=conversation_id))


def test_channels_are_those_of_the_platform_in_the_words_of_the_guides(
    sandbox: SandboxHandle, ask_as: Callable[..., Ask]
) -> None:
    # No guide names a scope for notifications: a token of any will do.
    ask = ask_as("sandbox-client", "sandbox-secret", scope="audit:read")
    made = ask("POST", CHANNELS, json={}).json()
    url = sandbox.genesys_url.replace("http", "ws", 1)
    assert made["connectUri"] == f"{url}/channels/{made['id']}"
    assert ask("HEAD", f"{CHANNELS}/{made['id']}").status_code == 200
    topics = [{"id": QUEUE.format(id="q")}, {"id": ATTRIBUTES.format(id="c")}]
    path = f"{CHANNELS}/{made['id']}/subscriptions"
    for method in ("POST", "PUT"):
        states = ask(method, path, json=topics).json()["entities"]
        assert {each["state"] for each in states} == {"Permitted"}
    assert ask("GET", path).json()["entities"] == topics
    assert ask("DELETE", path).status_code == 204
    refused = ask("POST", path, json=[{"id": "v2.users.u.presence"}])
    assert refused.headers["X-Correlation-Id"] == refused.json()["contextId"]
    assert refused.json() == {
        "message": "The subscription topic v2.users.u.presence is not valid.",
        "code": "notification.invalid.topic",
        "status": 400,
        "contextId": refused.headers["X-Correlation-Id"],
    }
    known = ask("GET", "/api/v2/notifications/availabletopics?expand=transports").json()
    assert CONTACT in {each["id"] for each in known["entities"]}


def test_a_client_of_the_guides_has_twenty_channels_at_most(
    genesys: Ask, sandbox: SandboxHandle
) -> None:
    made = [genesys("POST", CHANNELS, json={}).json()["id"] for _ in range(21)]
    assert [each["id"] for each in sandbox.channels()] == made[1:]
    assert genesys("HEAD", f"{CHANNELS}/{made[0]}").status_code == 404


def test_each_contract_connects_to_its_own_channels(
    genesys: Ask, platform: Ask, sandbox: SandboxHandle, send: Ask
) -> None:
    for ask, other, stranger in (
        (genesys, sandbox.platform_url, platform),
        (platform, sandbox.genesys_url, genesys),
    ):
        made = ask("POST", CHANNELS, json={}).json()["id"]
        assert send("GET", f"{other}/channels/{made}").status_code == 404
        assert stranger("HEAD", f"{CHANNELS}/{made}").status_code == 404


def test_a_channel_hears_of_the_documents_of_its_own_contract(
    genesys: Ask, platform: Ask, sandbox: SandboxHandle, live: str
) -> None:
    topic = QUEUE.format(id=sandbox.queue_id())
    others = [
        each
        for each in sandbox.ids("platformConversations")
        if "endTime" not in sandbox.get("platformConversations", each)
    ]

    async def story() -> None:
        async with aiohttp.ClientSession() as session:
            sockets = []
            for ask in (genesys, platform):
                made = ask("POST", CHANNELS, json={}).json()
                path = f"{CHANNELS}/{made['id']}/subscriptions"
                ask("POST", path, json=[{"id": topic}])
                sockets.append(await session.ws_connect(made["connectUri"]))
            sandbox.end_conversation(live)
            for each in others:
                sandbox.end_conversation(each)
            sandbox.emit(topic, {"id": "either"})
            first, second = sockets
            assert await _next(first) == live
            assert await _next(second) in others
            assert await _next(first) == "either"
            await first.close()
            await second.close()

    asyncio.run(story())


async def _next(socket: aiohttp.ClientWebSocketResponse) -> str:
    heard = await socket.receive_json(timeout=30)
    told: str = heard["eventBody"]["id"]
    return told


def test_a_chat_that_is_completed_by_itself_is_told_by_its_customer_and_its_queue(
    sandbox: SandboxHandle, live: str, clock: ManualClock
) -> None:
    chat = sandbox.get("interactions", live)
    customer, agent = (each["id"] for each in chat["participants"])
    clock.advance(60)
    completed = sandbox.get("interactions", live)
    (left,) = ends(sandbox, live)
    assert left["eventTime"] == milliseconds(completed["endTime"])
    assert (left["mediaType"], left["messageType"]) == ("MESSAGE", "WEBMESSAGING")
    assert (left["conversationId"], left["participantId"]) == (live, customer)
    snapshots = [each for each in told(sandbox, QUEUE) if each["id"] == live]
    assert len(snapshots) == 1 + len(completed["messages"]) - len(chat["messages"])
    *before, last = snapshots
    assert all("endTime" not in side for each in before for side in each["participants"])
    shown = {each["id"]: each for each in last["participants"]}
    assert {each["state"] for each in last["participants"]} == {"disconnected"}
    assert (shown[customer]["purpose"], shown[agent]["purpose"]) == ("customer", "agent")
    assert milliseconds(shown[customer]["endTime"]) == left["eventTime"]
    assert len(shown[customer]["messages"]) + len(shown[agent]["messages"]) == len(
        completed["messages"]
    )
    occurrence = f"ended:{live}:{left['eventTime']}"
    assert len(sandbox.events(occurrence=occurrence)) == 2


def test_no_event_carries_what_was_said(sandbox: SandboxHandle, clock: ManualClock) -> None:
    clock.advance(60)
    chats = [sandbox.get("interactions", each) for each in sandbox.ids("interactions")]
    said = {message["text"] for chat in chats for message in chat["messages"]}
    events = sandbox.events("detail", contract="guide")
    assert events
    assert not any(text in str(event) for text in said for event in events)


def test_an_interaction_that_goes_on_is_ended_by_order(
    sandbox: SandboxHandle, live: str, genesys: Ask, clock: ManualClock
) -> None:
    ended = sandbox.end_conversation(live)
    assert ended == genesys("GET", f"/api/v2/interactions/{live}").json()
    assert (ended["state"], ended["endTime"]) == ("completed", "2027-01-15T08:00:00.000Z")
    assert [each["eventTime"] for each in ends(sandbox, live)] == [clock.now * 1000]
    with pytest.raises(ValueError, match="ended already"):
        sandbox.end_conversation(live)
    clock.advance(60)
    assert sandbox.get("interactions", live) == ended
    assert len(ends(sandbox, live)) == 1


@pytest.mark.parametrize("ended", [{}, {"endTime": "2027-01-15T07:59:00.000Z"}])
def test_an_interaction_that_is_replaced_by_a_completed_one_has_ended(
    sandbox: SandboxHandle, live: str, ended: dict[str, str]
) -> None:
    chat = sandbox.get("interactions", live)
    sandbox.put("interactions", live, {**chat, "state": "completed", **ended})
    held = sandbox.get("interactions", live)["endTime"]
    assert held == ended.get("endTime", "2027-01-15T08:00:00.000Z")
    (left,) = ends(sandbox, live)
    assert left["eventTime"] == milliseconds(held)


def test_a_chat_of_which_nobody_is_known_ends_too(sandbox: SandboxHandle) -> None:
    sandbox.put("interactions", "bare", {"state": "active"})
    sandbox.end_conversation("bare")
    (left,) = ends(sandbox, "bare")
    assert left["participantId"] == "bare"


def test_an_email_that_is_completed_is_no_message(sandbox: SandboxHandle) -> None:
    sandbox.put("interactions", "mail", {"state": "active", "type": "email"})
    sandbox.end_conversation("mail")
    assert [each["mediaType"] for each in ends(sandbox, "mail")] == ["EMAIL"]
    assert told(sandbox, QUEUE) == []


def test_somebody_else_completes_a_chat(sandbox: SandboxHandle, live: str, genesys: Ask) -> None:
    path = f"/api/v2/interactions/{live}"
    sandbox.fault(kind="foreign_write", path=path, changes={"state": "completed"})
    genesys("GET", path)
    assert len(ends(sandbox, live)) == 1


def test_a_redaction_is_no_event(sandbox: SandboxHandle, live: str, genesys: Ask) -> None:
    chat = sandbox.end_conversation(live)
    before = sandbox.events()
    messages = [{**each, "text": "***"} for each in chat["messages"]]
    body = {"id": live, "messages": messages}
    assert genesys("PATCH", f"/api/v2/interactions/{live}", json=body).status_code == 200
    assert sandbox.events() == before


# Attributes and contacts


def call_with(sandbox: SandboxHandle, *, contact: bool) -> tuple[str, str]:
    """A call that goes on, with a contact or without, and somebody who takes part in it."""
    for each in sandbox.ids("conversations", state="active"):
        held = sandbox.get("conversations", each)
        present = [e["id"] for e in held["participants"] if e["state"] != "disconnected"]
        if ("externalContactId" in held) == contact:
            return each, present[0]
    raise AssertionError("the seed has no such call")


def give(ask: Ask, call: tuple[str, str], **attributes: str) -> None:
    conversation_id, participant_id = call
    path = f"{PARTICIPANTS}/{participant_id}"
    ask("GET", path, params={"conversationId": conversation_id})
    answer = ask("PATCH", path, json={"participantAttributes": attributes})
    assert answer.status_code == 200, answer.text


def test_attributes_that_change_are_told_with_a_contact_that_can_be_read(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    call = conversation_id, participant_id = call_with(sandbox, contact=True)
    give(genesys, call, tier="gold")
    give(genesys, call, tier="gold")
    give(genesys, call, language="no")
    first, second = told(sandbox, ATTRIBUTES)
    assert (first["conversationId"], first["participantId"]) == call
    assert first["attributes"].items() >= {("tier", "gold")}
    assert second["attributes"] == {**first["attributes"], "language": "no"}
    assert first["communications"] == [{"id": participant_id, "mediaType": "VOICE"}]
    (contact_id,) = first["conversationExternalContactIds"]
    read = genesys("GET", f"/api/v2/interactions/contacts/{contact_id}").json()
    assert read["contactId"] == contact_id
    occurrences = [each["occurrence"] for each in sandbox.events()]
    prefix = f"attributes:{conversation_id}:{participant_id}:"
    assert all(each.startswith(prefix) for each in occurrences)
    assert len({*occurrences}) == 2


def test_attributes_of_a_call_without_a_contact_name_none(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    give(genesys, call_with(sandbox, contact=False), tier="gold")
    (said,) = told(sandbox, ATTRIBUTES)
    assert said["conversationExternalContactIds"] == []
    assert sandbox.events_summary()["occurrences"] == {"anonymous": 1}


def test_what_others_and_tests_write_on_calls_is_told(sandbox: SandboxHandle, genesys: Ask) -> None:
    conversation_id, participant_id = call_with(sandbox, contact=True)
    path = f"{PARTICIPANTS}/{participant_id}"
    changes = {"participantAttributes": {"tier": "gold"}}
    sandbox.fault(kind="foreign_write", path=path, changes=changes)
    genesys("GET", path, params={"conversationId": conversation_id})
    held = sandbox.get("conversations", conversation_id)
    for each in held["participants"]:
        if each["id"] == participant_id:
            each["participantAttributes"] = {"tier": "silver"}
    sandbox.put("conversations", conversation_id, held)
    assert [each["attributes"]["tier"] for each in told(sandbox, ATTRIBUTES)] == ["gold", "silver"]


def test_a_customer_who_hangs_up_is_told_as_such(sandbox: SandboxHandle) -> None:
    customer = {"id": "c", "type": "customer"}
    sandbox.put("conversations", "call", {"participants": [customer]})
    gone = {**customer, "state": "disconnected"}
    sandbox.put("conversations", "call", {"participants": [gone]})
    (left,) = ends(sandbox, "call")
    assert left["mediaType"] == "VOICE"
    assert sandbox.events_summary()["occurrences"] == {"hung_up": 1}


def test_a_contact_that_changes_is_told(sandbox: SandboxHandle, genesys: Ask) -> None:
    contact_id = sandbox.ids("contacts")[0]
    sandbox.put("contacts", contact_id, {"attributes": {"tier": "gold"}})
    path = f"/api/v2/interactions/contacts/{contact_id}"
    changes = {"attributes": {"tier": "silver"}}
    sandbox.fault(kind="foreign_write", path=path, changes=changes)
    genesys("GET", path)
    said = told(sandbox, CONTACT)
    assert [each["customFields"]["tier"] for each in said] == ["gold", "silver"]
    assert {each["id"] for each in said} == {contact_id}
    assert {each["canonicalContactId"] for each in said} == {contact_id}


def test_a_merge_is_told_of_every_profile_as_the_contact_that_it_is(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    guest, other, target = sandbox.ids("profiles")[:3]
    body = {"sourceProfileIds": [guest], "targetProfileId": target, "mergePolicy": "target_wins"}
    assert genesys("POST", "/api/v2/identity/profiles/merge", json=body).status_code == 200
    merged, survivor = told(sandbox, CONTACT)
    assert (merged["id"], merged["mergedTo"], merged["canonicalContactId"]) == (
        guest,
        target,
        target,
    )
    assert (survivor["id"], survivor["mergedFrom"]) == (target, [guest])
    held = sandbox.get("profiles", target)
    held["links"].append({"profileId": other})
    sandbox.put("profiles", target, held)
    _, _, later, again = told(sandbox, CONTACT)
    assert (later["id"], later["mergedTo"]) == (other, target)
    assert again["mergedFrom"] == [guest, other]
    # Each of the two has made another merge set.
    assert sandbox.events_summary()["occurrences"]["merged"] == 2


# Streams


def test_a_stream_of_the_guides_changes_the_guides_documents(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    # What no test needs to wait for is over.
    clock.advance(60)
    since = sandbox.events()[-1]["seq"]
    sandbox.start_stream(rate=50, events=120, contract="guide", repeated=0.3)
    clock.advance(10)
    events = sandbox.events(since=since)
    assert {each["contract"] for each in events} == {"guide"}
    seen = set()
    for event in events:
        body = event["detail"]["eventBody"]
        seen.add(event["occurrence"].split(":")[0])
        if event["template"] == CUSTOMER_END:
            held = sandbox.get("interactions", body["conversationId"])
            assert milliseconds(held["endTime"]) == body["eventTime"]
        elif event["template"] == ATTRIBUTES:
            for contact_id in body["conversationExternalContactIds"]:
                _read(genesys, contact_id)
        elif event["template"] == CONTACT:
            survivor = body["canonicalContactId"]
            assert body.get("mergedTo", survivor) == survivor
            assert {*body["mergeSet"]} >= {body["id"], survivor}
            _read(genesys, survivor)
            links = sandbox.get("profiles", survivor)["links"]
            assert [each["profileId"] for each in links] == [
                each for each in body["mergeSet"] if each != survivor
            ]
            assert sandbox.get("customers", survivor)
    assert seen >= {"attributes", "ended", "merged", "changed"}


def _read(ask: Ask, contact_id: str) -> None:
    assert ask("GET", f"/api/v2/interactions/contacts/{contact_id}").status_code == 200


def test_a_stream_into_an_organisation_that_has_nothing_yet(
    sandbox: SandboxHandle, clock: ManualClock
) -> None:
    sandbox.put("contacts", "only", {}, "new")
    for contract in ("guide", "platform"):
        sandbox.start_stream("new", rate=50, events=60, contract=contract)
        clock.advance(10)
        summary = sandbox.events_summary(organization="new", contract=contract)
        assert summary["occurrences"].keys() >= {"attributes", "ended", "merged"}
        assert summary["events"] >= 60
