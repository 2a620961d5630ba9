"""What happens in the sandbox becomes events, over a socket and as EventBridge delivers them."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
CONTACTS = "/api/v2/externalcontacts/contacts"
CONTACT = "v2.externalcontacts.contacts.{id}"
QUEUE = "v2.routing.queues.{id}.conversations.messages"
ATTRIBUTES = "v2.detail.events.conversation.{id}.attributes"
CUSTOMER_END = "v2.detail.events.conversation.{id}.customer.end"


@pytest.fixture
def pair(sandbox: SandboxHandle) -> list[str]:
    """Ids of two contacts that were never merged."""
    return sandbox.ids("externalContacts", type="Curated")[:2]


def ongoing(sandbox: SandboxHandle, field: str) -> dict[str, Any]:
    """A conversation that goes on, whose customer has communications in that field."""
    for each in sandbox.ids("platformConversations"):
        held = sandbox.get("platformConversations", each)
        if "endTime" not in held and held["participants"][0].get(field):
            return held
    raise AssertionError(f"the seed has no conversation with {field} that goes on")


def told(sandbox: SandboxHandle, **filters: Any) -> list[dict[str, Any]]:
    """What was told of the Platform API's documents: the guides' live chats go on, too."""
    return sandbox.events(contract="platform", **filters)


def bodies(sandbox: SandboxHandle, template: str) -> list[dict[str, Any]]:
    listed = sandbox.events("detail", template=template, contract="platform")
    return [each["eventBody"] for each in listed]


def milliseconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() * 1000


def test_a_merge_tells_of_all_contacts_of_the_merge_set(
    sandbox: SandboxHandle, platform: Ask, pair: list[str]
) -> None:
    made = platform("POST", f"{CONTACTS}/merge", json={"contactIds": pair}).json()
    said = {each["id"]: each for each in bodies(sandbox, CONTACT)}
    assert said.keys() == {*pair, made["id"]}
    for each in said.values():
        assert each["canonicalContactId"] == made["id"]
        assert set(each["mergeSet"]) == said.keys()
    assert [said[each]["mergedTo"] for each in pair] == [made["id"]] * 2
    survivor = said[made["id"]]
    assert "mergedTo" not in survivor
    assert survivor["mergedFrom"] == pair
    assert survivor["mergeOperation"] == {
        "sourceContactId": pair[0],
        "targetContactId": pair[1],
        "resultingContactId": made["id"],
    }
    occurrences = Counter(each["occurrence"].split(":")[0] for each in sandbox.events())
    assert occurrences == {"merged": 2, "changed": 1}
    assert sandbox.events_summary()["occurrences"] == {"merged": 1, "changed": 1}


def test_a_written_contact_is_told_as_it_is_after_the_write(
    sandbox: SandboxHandle, platform: Ask, pair: list[str]
) -> None:
    held = platform("GET", f"{CONTACTS}/{pair[0]}").json()
    platform("PUT", f"{CONTACTS}/{pair[0]}", json={**held, "title": "Dr"})
    change = {"field": "$.title", "action": "Update", "value": "Prof"}
    platform("PATCH", f"{CONTACTS}/{pair[0]}", json={"changes": [change]})
    sandbox.put("externalContacts", pair[0], {**held, "title": "Mx"})
    assert [each["title"] for each in bodies(sandbox, CONTACT)] == ["Dr", "Prof", "Mx"]
    (event, *_) = sandbox.events("detail")
    assert event["topicName"] == CONTACT.format(id=pair[0])
    assert event["eventBody"]["division"] == {"id": held["division"]["id"]}


def test_a_write_of_somebody_else_is_told_too(
    sandbox: SandboxHandle, platform: Ask, pair: list[str]
) -> None:
    sandbox.fault(kind="foreign_write", changes={"title": "Dr"}, path=f"{CONTACTS}/{pair[0]}")
    platform("GET", f"{CONTACTS}/{pair[0]}")
    chat = ongoing(sandbox, "messages")
    sandbox.fault(
        kind="foreign_write", changes={"note": 1}, route="/api/v2/conversations/{conversationId}"
    )
    platform("GET", f"/api/v2/conversations/{chat['id']}")
    assert [each["template"] for each in sandbox.events()] == [CONTACT, QUEUE]


def test_attributes_are_told_once_they_are_kept(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock
) -> None:
    call = ongoing(sandbox, "calls")
    customer = call["participants"][0]
    path = f"/api/v2/conversations/{call['id']}/participants/{customer['id']}/attributes"
    for attributes in ({"tier": "gold"}, {"lang": "no"}):
        platform("PATCH", path, json={"attributes": attributes})
        assert len(told(sandbox)) == ("lang" in attributes)
        clock.advance(1)
    platform("PATCH", path, json={"attributes": {"tier": "gold"}})
    clock.advance(1)
    first, second = bodies(sandbox, ATTRIBUTES)
    assert first == {
        "eventTime": 1_800_000_000_200,
        "conversationId": call["id"],
        "participantId": customer["id"],
        "attributes": {"tier": "gold"},
        "conversationExternalContactIds": [customer["externalContactId"]],
        "communications": [{"id": customer["calls"][0]["id"], "mediaType": "VOICE"}],
    }
    assert second["attributes"] == {"tier": "gold", "lang": "no"}
    assert {each["template"] for each in told(sandbox)} == {ATTRIBUTES}


def test_a_chat_that_ends_is_told_by_its_customer_and_by_its_queue(sandbox: SandboxHandle) -> None:
    chat = ongoing(sandbox, "messages")
    ended = sandbox.end_conversation(chat["id"])
    assert ended == sandbox.get("platformConversations", chat["id"])
    (left,) = bodies(sandbox, CUSTOMER_END)
    customer = ended["participants"][0]
    assert left["eventTime"] == milliseconds(customer["endTime"])
    assert (left["mediaType"], left["disconnectType"]) == ("MESSAGE", "CLIENT")
    assert (left["messageType"], left["conversationId"]) == ("WEBMESSAGING", chat["id"])
    first, second = bodies(sandbox, QUEUE)
    topic = QUEUE.format(id=sandbox.queue_id())
    assert {e["topic"] for e in sandbox.events(template=QUEUE)} == {topic}
    for snapshot in (first, second):
        shown = snapshot["participants"][0]
        assert (shown["purpose"], shown["state"]) == ("customer", "disconnected")
        assert milliseconds(shown["endTime"]) == left["eventTime"]
    states = [{e["state"] for e in s["participants"]} for s in (first, second)]
    assert states == [{"connected", "disconnected"}, {"disconnected"}]
    assert sandbox.events_summary()["occurrences"] == {"ended": 1}
    with pytest.raises(ValueError, match="ended already"):
        sandbox.end_conversation(chat["id"])


def test_a_call_that_ends_is_told_by_its_customer_alone(sandbox: SandboxHandle) -> None:
    call = ongoing(sandbox, "calls")
    sandbox.end_conversation(call["id"])
    (event,) = sandbox.events()
    assert event["template"] == CUSTOMER_END
    assert event["detail"]["eventBody"]["mediaType"] == "VOICE"


def test_an_ended_conversation_is_found_by_who_missed_its_event(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock
) -> None:
    chat = ongoing(sandbox, "messages")
    clock.advance(60)
    sandbox.end_conversation(chat["id"])
    query = {"interval": "2025-01-15T00:00:00Z/2025-02-10T00:00:00Z"}
    filters = [
        {"predicates": [{"dimension": "conversationEnd", "operator": "exists"}], "type": "and"}
    ]
    body = {**query, "conversationFilters": filters, "paging": {"pageSize": 100, "pageNumber": 1}}
    found, page = set[str](), 1
    while (
        listed := platform("POST", "/api/v2/analytics/conversations/details/query", json=body)
        .json()
        .get("conversations")
    ):
        found |= {each["conversationId"] for each in listed}
        page += 1
        body["paging"] = {"pageSize": 100, "pageNumber": page}
    assert chat["id"] in found


def test_an_event_is_what_it_was_whatever_is_written_later(
    sandbox: SandboxHandle, platform: Ask, pair: list[str]
) -> None:
    fields = {"customFields": {"city_text": "Oslo"}}
    held = sandbox.get("externalContacts", pair[0])
    sandbox.put("externalContacts", pair[0], {**held, **fields})
    before = sandbox.events("detail")
    changes = {"customFields": {"city_text": "Bergen"}}
    sandbox.fault(kind="foreign_write", changes=changes, path=f"{CONTACTS}/{pair[0]}")
    platform("GET", f"{CONTACTS}/{pair[0]}")
    after = sandbox.events("detail")
    assert after[:1] == before
    assert after[1]["eventBody"]["customFields"]["city_text"] == "Bergen"


def test_events_are_handed_out_as_eventbridge_delivers_them(sandbox: SandboxHandle) -> None:
    topic = CONTACT.format(id="a")
    event_id = sandbox.emit(topic, {"id": "a"}, "acme")
    (envelope,) = sandbox.events("eventbridge")
    detail = envelope.pop("detail")
    assert envelope == {
        "version": "0",
        "id": event_id,
        "detail-type": CONTACT,
        "source": "aws.partner/genesys.com/cloud/acme/sandbox",
        "account": "123456789012",
        "time": "2027-01-15T08:00:00Z",
        "region": "us-east-2",
        "resources": [],
    }
    assert detail == sandbox.events("detail")[0]
    assert (detail["topicName"], detail["eventBody"]) == (topic, {"id": "a"})
    uuid.UUID(detail["metadata"]["CorrelationId"])


def test_events_are_selected(sandbox: SandboxHandle) -> None:
    for name in ("a", "b", "c"):
        sandbox.emit(CONTACT.format(id=name), {})
    assert [each["seq"] for each in sandbox.events(since=1, limit=1)] == [2]
    assert [each["seq"] for each in sandbox.events(topic=CONTACT.format(id="c"))] == [3]
    assert sandbox.events(organization="acme") == []
    for wrong in ({"colour": "red"}, {"since": "x"}):
        with pytest.raises(ValueError, match="filter"):
            sandbox.events(**wrong)
    with pytest.raises(ValueError, match="form"):
        sandbox.events("sqs")
    with pytest.raises(ValueError, match="is no topic"):
        sandbox.emit("v2.users.u.presence", {})


# Streams

STREAM = {"rate": 100, "events": 400, "duplicates": 0.2, "reordered": 0.2, "repeated": 0.2}


def streamed(sandbox: SandboxHandle, clock: ManualClock, **plan: Any) -> list[dict[str, Any]]:
    """The events of a stream, which has ended."""
    sandbox.start_stream(**{**STREAM, **plan})
    clock.advance(60)
    assert not sandbox.events_summary()["stream"]["running"]
    return sandbox.events(contract=plan.get("contract", "platform"))


def test_a_stream_is_as_fast_as_it_was_asked_to_be(
    sandbox: SandboxHandle, clock: ManualClock
) -> None:
    sandbox.start_stream(rate=250)
    for seconds in (1, 2, 3):
        clock.advance(1)
        assert len(told(sandbox)) == pytest.approx(250 * seconds, abs=5)
    assert sandbox.events_summary()["stream"]["running"]
    last = sandbox.stop_stream()
    assert not last["running"]
    clock.advance(60)
    assert len(told(sandbox)) == last["delivered"]


def test_a_stream_tells_some_things_twice_late_and_again(
    sandbox: SandboxHandle, clock: ManualClock
) -> None:
    events = streamed(sandbox, clock)
    copies = Counter(each["id"] for each in events)
    assert len(copies) >= 400
    assert 0.1 < (len(events) - len(copies)) / len(copies) < 0.3
    again = Counter(each["occurrence"] for each in events if each["template"] == ATTRIBUTES)
    assert max(again.values()) > 2
    at = [each["at"] for each in events]
    assert at != sorted(at)
    kinds = sandbox.events_summary(contract="platform")["occurrences"]
    assert kinds.keys() == {"attributes", "changed", "ended", "merged"}
    assert sum(kinds.values()) == len({each["occurrence"] for each in events})


def test_a_tidy_stream_tells_everything_once_and_in_order(
    sandbox: SandboxHandle, clock: ManualClock
) -> None:
    events = streamed(sandbox, clock, duplicates=0, reordered=0, repeated=0)
    assert len({each["id"] for each in events}) == len(events)
    at = [each["at"] for each in events]
    assert at == sorted(at)


def test_what_a_stream_tells_has_happened(sandbox: SandboxHandle, clock: ManualClock) -> None:
    for event in streamed(sandbox, clock, events=60):
        body = event["detail"]["eventBody"]
        if event["template"] == CUSTOMER_END:
            held = sandbox.get("platformConversations", body["conversationId"])
            assert milliseconds(held["endTime"]) == body["eventTime"]
            assert sandbox.get("messageTranscripts", held["id"])["messages"]
        elif "mergedTo" in body:
            held = sandbox.get("externalContacts", body["id"])
            assert held["mergedTo"]["id"] == body["mergedTo"]


def test_equal_seeds_make_equal_streams(sandbox: SandboxHandle, clock: ManualClock) -> None:
    told = []
    for seed in (1, 1, 2):
        sandbox.reset()
        told.append([each["occurrence"] for each in streamed(sandbox, clock, events=50, seed=seed)])
        clock.now -= 60
    assert told[0] == told[1]
    assert told[0] != told[2]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "emit, start, stop, target"),
        ({"emit": [], "stop": True}, "emit, start, stop, target"),
        ({"start": {}}, "start.rate"),
        ({"start": {"rate": 1, "duplicates": 2}}, "start.duplicates"),
        ({"emit": [{"topic": "x"}]}, "emit.0.body"),
    ],
)
def test_a_wrong_order_is_refused_by_its_field(
    sandbox: SandboxHandle, send: Ask, body: dict[str, Any], field: str
) -> None:
    answer = send("POST", f"{sandbox.url}/sandbox/events", json=body)
    assert answer.status_code == 400
    assert field in answer.json()["message"]
