"""Interactions: the sweep's query, the redacting PATCH, and chats that go on meanwhile."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
QUERY = "/api/v2/interactions/query"
COMPLETED = "type eq 'webmessaging' and state eq 'completed'"


def query(ask: Ask, text: str, cursor: str = "", **body: Any) -> requests.Response:
    return ask("POST", QUERY, params={"nextPage": cursor}, json={"query": text, **body})


def pages(ask: Ask, text: str, size: int) -> list[list[dict[str, Any]]]:
    found, cursor = [], ""
    while True:
        body = query(ask, text, cursor, size=size).json()
        found.append(body["items"])
        if "nextPage" not in body:
            return found
        cursor = body["nextPage"]


def chat(*texts: str, **fields: Any) -> dict[str, Any]:
    messages = [
        {"id": f"m{i}", "type": "text", "from": "a", "to": "b", "text": text, "seen": {"by": ["b"]}}
        for i, text in enumerate(texts)
    ]
    return {"startTime": "2025-03-01T00:00:00Z", "messages": messages, **fields}


def patch(ask: Ask, entity_id: str, messages: list[dict[str, Any]]) -> requests.Response:
    body = {"id": entity_id, "messages": messages}
    return ask("PATCH", f"/api/v2/interactions/{entity_id}", json=body)


def test_pages_hold_every_interaction_once_in_the_order_of_their_start(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    found = pages(genesys, COMPLETED, 50)
    assert len(found) > 3
    assert {len(page) for page in found[:-1]} == {50}
    items = [item for page in found for item in page]
    wanted = sandbox.ids("interactions", type="webmessaging", state="completed")
    assert sorted(item["id"] for item in items) == sorted(wanted)
    places = [(item["startTime"], item["id"]) for item in items]
    assert places == sorted(places)


def test_a_page_that_ends_exactly_has_no_cursor(sandbox: SandboxHandle, genesys: Ask) -> None:
    for i in range(4):
        sandbox.put("interactions", f"i{i}", chat(type="fax"))
    assert [len(page) for page in pages(genesys, "type eq 'fax'", 2)] == [2, 2]
    assert pages(genesys, "type eq 'telex'", 2) == [[]]


def test_what_comes_in_during_a_sweep_shifts_no_page(sandbox: SandboxHandle, genesys: Ask) -> None:
    for i in range(4):
        sandbox.put("interactions", f"i{i}", chat(type="fax"))
    first = query(genesys, "type eq 'fax'", size=2).json()
    sandbox.put("interactions", "early", chat(type="fax", startTime="2025-01-01T00:00:00Z"))
    sandbox.put("interactions", "late", chat(type="fax", startTime="2025-12-01T00:00:00Z"))
    rest = query(genesys, "type eq 'fax'", first["nextPage"]).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == [
        "i0",
        "i1",
        "i2",
        "i3",
        "late",
    ]


def test_conditions_are_joined(sandbox: SandboxHandle, genesys: Ask) -> None:
    for day in (1, 2, 3):
        sandbox.put(
            "interactions", f"day{day}", chat(type="fax", startTime=f"2025-03-0{day}T00:00:00Z")
        )
    for text, found in (
        ("id eq 'day2'", ["day2"]),
        ("id eq 'day2' and state eq 'active'", []),
        ("type eq 'fax' and startTime ge '2025-03-02T00:00:00Z'", ["day2", "day3"]),
        ("type eq 'fax' and startTime lt '2025-03-02T00:00:00.000Z'", ["day1"]),
        ("startTime ge '2025-03-02' and startTime lt '2025-03-03' and type eq 'fax'", ["day2"]),
    ):
        items = query(genesys, text).json()["items"]
        assert [item["id"] for item in items] == found, text


def test_only_the_fields_asked_for_are_sent(sandbox: SandboxHandle, genesys: Ask) -> None:
    sandbox.put("interactions", "i", chat("hello", secret="x"))
    [item] = query(genesys, "id eq 'i'", fields="id, startTime").json()["items"]
    assert item == {"id": "i", "startTime": "2025-03-01T00:00:00Z"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "state = 'completed'",
        "state eq completed",
        "state eq 'completed' or type eq 'sms'",
        "state eq 'completed' and ",
        "state eq 'completed'and type eq 'sms'",
        "text eq 'x'",
        "startTime eq '2025-03-01T00:00:00Z'",
        "startTime ge 'yesterday'",
        "id ge 'x'",
    ],
)
def test_a_query_that_is_not_understood_is_400(genesys: Ask, text: str) -> None:
    answer = query(genesys, text)
    assert (answer.status_code, answer.json()["code"]) == (400, "query.invalid")


@pytest.mark.parametrize(
    "body", [{"size": 101}, {"size": 0}, {"size": "10"}, {"fields": "id,text"}, {"sort": "id"}]
)
def test_a_wrong_request_is_400(genesys: Ask, body: dict[str, Any]) -> None:
    assert query(genesys, COMPLETED, **body).status_code == 400


def test_a_cursor_belongs_to_its_query(genesys: Ask) -> None:
    cursor = query(genesys, COMPLETED, size=1).json()["nextPage"]
    assert query(genesys, COMPLETED, cursor, size=1).status_code == 200
    for text, strange in ((("type eq 'sms'"), cursor), (COMPLETED, "abc"), (COMPLETED, "bnVsbA==")):
        answer = query(genesys, text, strange)
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor.invalid")


@pytest.mark.parametrize("status", [404, 405])
def test_the_get_may_be_missing_as_in_the_guides(
    sandbox: SandboxHandle, genesys: Ask, status: int
) -> None:
    entity_id = sandbox.ids("interactions")[0]
    assert genesys("GET", f"/api/v2/interactions/{entity_id}").json()["id"] == entity_id
    sandbox.options(interaction_get=status)
    assert genesys("GET", f"/api/v2/interactions/{entity_id}").status_code == status


def test_a_patch_changes_texts_and_nothing_else(sandbox: SandboxHandle, genesys: Ask) -> None:
    document = sandbox.put("interactions", "i", chat("call 555-0100", "ok", "bye"))
    messages = copy.deepcopy(document["messages"])
    messages[0]["text"] = "call [REDACTED]"
    assert patch(genesys, "i", messages).status_code == 200
    assert sandbox.get("interactions", "i") == {**document, "messages": messages}
    [effect] = sandbox.effects(kind="interaction.redacted", subject="i")
    assert effect["detail"]["messages_changed"] == 1
    assert effect["detail"]["messages_dropped"] == 0
    assert "REDACTED" not in str(effect)


Messages = list[dict[str, Any]]


def reverse(messages: Messages) -> Messages:
    return messages[::-1]


def drop_last(messages: Messages) -> Messages:
    return messages[:-1]


def drop_first(messages: Messages) -> Messages:
    return messages[1:]


def add(messages: Messages) -> Messages:
    return [*messages, {**messages[0], "id": "m9"}]


def change(**fields: Any) -> Callable[[Messages], Messages]:
    return lambda messages: [{**messages[0], **fields}, *messages[1:]]


def forget(name: str) -> Callable[[Messages], Messages]:
    return lambda messages: [
        {k: v for k, v in messages[0].items() if k != name},
        *messages[1:],
    ]


@pytest.mark.parametrize(
    "spoil",
    [
        reverse,
        drop_last,
        drop_first,
        add,
        change(id="other"),
        change(type="image"),
        change(seen={"by": []}),
        change(extra=1),
        change(text=None),
        change(text=5),
        forget("seen"),
        forget("text"),
        lambda _: [],
    ],
)
def test_a_patch_that_changes_anything_else_is_422(
    sandbox: SandboxHandle, genesys: Ask, spoil: Callable[[Messages], Messages]
) -> None:
    document = sandbox.put("interactions", "i", chat("one", "two", "three"))
    answer = patch(genesys, "i", spoil(document["messages"]))
    assert answer.status_code == 422
    assert sandbox.get("interactions", "i") == document
    assert sandbox.effects() == []


def test_a_patch_names_the_interaction_of_its_path(sandbox: SandboxHandle, genesys: Ask) -> None:
    document = sandbox.put("interactions", "i", chat("one"))
    body = {"id": "j", "messages": document["messages"]}
    assert genesys("PATCH", "/api/v2/interactions/i", json=body).status_code == 422
    assert patch(genesys, "none", []).status_code == 404


def test_a_careless_patch_of_a_live_chat_drops_what_came_in_meanwhile(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    read = sandbox.put("interactions", "i", chat("one", "two", state="active"))
    sandbox.put("interactions", "i", chat("one", "two", "three", state="active"))
    assert patch(genesys, "i", read["messages"]).status_code == 200
    [effect] = sandbox.effects(kind="interaction.redacted")
    assert effect["detail"]["messages_dropped"] == 1
    assert len(sandbox.get("interactions", "i")["messages"]) == 2
    assert patch(genesys, "i", read["messages"][1:]).status_code == 422


def test_live_chats_go_on_and_complete(
    sandbox: SandboxHandle, genesys: Ask, clock: ManualClock
) -> None:
    live = sandbox.ids("interactions", state="active")
    assert len(live) == 12

    def messages(entity_id: str) -> int:
        body = genesys("GET", f"/api/v2/interactions/{entity_id}").json()
        return len(body["messages"])

    before = [messages(each) for each in live]
    clock.advance(4)
    assert all(messages(each) > known for each, known in zip(live, before, strict=True))
    clock.advance(60)
    assert sandbox.ids("interactions", state="active") == []
    after = [messages(each) for each in live]
    clock.advance(60)
    assert [messages(each) for each in live] == after
    ended = genesys("GET", f"/api/v2/interactions/{live[0]}").json()
    assert ended["state"] == "completed"
    assert ended["startTime"] < ended["messages"][-1]["timestamp"] <= ended["endTime"]


def test_seeded_chats_hold_personal_data_and_numbers_that_look_like_it(
    sandbox: SandboxHandle,
) -> None:
    texts = " ".join(
        message["text"]
        for entity_id in sandbox.ids("interactions")
        for message in sandbox.get("interactions", entity_id)["messages"]
    )
    for sign in ("@example.com", "+1 (555) ", "My SSN is ", "card number", "DE", "INV-", "order "):
        assert sign in texts
    assert "{" not in texts
