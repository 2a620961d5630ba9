"""Participants: pages, the merging PATCH and its optimistic concurrency."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle
from workers.sandbox.wire import iso

Ask = Callable[..., requests.Response]
PARTICIPANTS = "/api/v2/conversations/voice/participants"


@pytest.fixture
def talk(sandbox: SandboxHandle) -> str:
    """A conversation of a customer and a user."""
    parties = [
        {"id": "customer", "type": "customer"},
        {"id": "user", "participantAttributes": {"queue": "sales"}},
    ]
    sandbox.put("conversations", "talk", {"participants": parties})
    return "talk"


def patch(ask: Ask, participant_id: str, **attributes: str) -> requests.Response:
    body = {"participantAttributes": attributes}
    return ask("PATCH", f"{PARTICIPANTS}/{participant_id}", json=body)


def read(ask: Ask, participant_id: str, talk: str) -> requests.Response:
    return ask("GET", f"{PARTICIPANTS}/{participant_id}", params={"conversationId": talk})


def test_participants_are_listed_as_documented(genesys: Ask, talk: str, clock: ManualClock) -> None:
    body = genesys("GET", PARTICIPANTS, params={"conversationId": talk}).json()
    assert body["pageSize"] == 25
    assert body["pageNumber"] == 1
    assert set(body) == {"entities", "pageSize", "pageNumber"}
    assert body["entities"][1] == {
        "id": "user",
        "name": "",
        "type": "user",
        "state": "connected",
        "participantAttributes": {"queue": "sales"},
        "lastUpdated": iso(clock.now),
    }


def test_pages_hold_every_participant_once(sandbox: SandboxHandle, genesys: Ask) -> None:
    parties = [{"id": f"p{i}"} for i in range(60)]
    sandbox.put("conversations", "crowd", {"participants": parties})
    for size, lengths in ((25, [25, 25, 10, 0]), (60, [60, 0]), (100, [60])):
        pages = [
            genesys(
                "GET",
                PARTICIPANTS,
                params={"conversationId": "crowd", "pageSize": size, "pageNumber": number},
            ).json()["entities"]
            for number in range(1, len(lengths) + 1)
        ]
        assert [len(page) for page in pages] == lengths
        assert [each["id"] for page in pages for each in page] == [f"p{i}" for i in range(60)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "conversationId"),
        ({"conversationId": ""}, "conversationId"),
        ({"conversationId": "talk", "pageSize": "101"}, "pageSize"),
        ({"conversationId": "talk", "pageSize": "0"}, "pageSize"),
        ({"conversationId": "talk", "pageSize": "many"}, "pageSize"),
        ({"conversationId": "talk", "pageNumber": "0"}, "pageNumber"),
        ({"conversationId": "talk", "pageNumber": "²"}, "pageNumber"),
    ],
)
def test_a_wrong_query_names_its_parameter(
    genesys: Ask, talk: str, query: dict[str, str], field: str
) -> None:
    answer = genesys("GET", PARTICIPANTS, params=query)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"{field}: ")


def test_a_participant_is_read_in_its_own_conversation_only(
    sandbox: SandboxHandle, genesys: Ask, talk: str
) -> None:
    sandbox.put("conversations", "other", {})
    assert read(genesys, "user", talk).json()["id"] == "user"
    assert read(genesys, "user", "other").status_code == 404
    assert read(genesys, "user", "none").status_code == 404
    assert genesys("GET", f"{PARTICIPANTS}/user").status_code == 400


def test_a_patch_merges_keys_and_moves_last_updated(
    sandbox: SandboxHandle, genesys: Ask, talk: str
) -> None:
    before = read(genesys, "user", talk).json()["lastUpdated"]
    first = patch(genesys, "user", queue="support", mood="good").json()
    assert first["participantAttributes"] == {"queue": "support", "mood": "good"}
    second = patch(genesys, "user", mood="better").json()
    assert read(genesys, "user", talk).json() == second
    # The clock stands still, and time still goes forward.
    assert before < first["lastUpdated"] < second["lastUpdated"]


def test_an_effect_tells_which_values_were_set_without_telling_them(
    sandbox: SandboxHandle, genesys: Ask, talk: str
) -> None:
    read(genesys, "user", talk)
    patch(genesys, "user", queue="sales", note="call back at five")
    [effect] = sandbox.effects(kind="participant.attributes", subject="user")
    assert effect["detail"]["keys"] == ["note", "queue"]
    assert effect["detail"]["changed"] == ["note"]
    assert len(effect["detail"]["sha256"]["note"]) == 64
    assert "call back" not in str(effect)


@pytest.mark.parametrize("value", [1, True, None, 1.5, ["a"], {"a": "b"}])
def test_values_must_be_strings(genesys: Ask, talk: str, value: object) -> None:
    body = {"participantAttributes": {"key": value}}
    answer = genesys("PATCH", f"{PARTICIPANTS}/user", json=body)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("participantAttributes.key: ")


def test_a_name_must_not_be_empty(genesys: Ask, talk: str) -> None:
    body = {"participantAttributes": {"": "x"}}
    assert genesys("PATCH", f"{PARTICIPANTS}/user", json=body).status_code == 400


def test_the_merged_map_is_at_most_a_kilobyte_of_utf8(genesys: Ask, talk: str) -> None:
    read(genesys, "user", talk)
    # {"queue":"sales","é":"…"} is 25 bytes around the value.
    assert patch(genesys, "user", é="x" * 1000).status_code == 422
    assert patch(genesys, "user", é="x" * 999).status_code == 200
    answer = patch(genesys, "user", z="")
    assert (answer.status_code, answer.json()["code"]) == (
        422,
        "participant.attributes.too.large",
    )
    assert patch(genesys, "user", é="").status_code == 200


def test_an_ended_conversation_or_an_unknown_participant_is_404(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    sandbox.put(
        "conversations",
        "over",
        {"state": "ended", "participants": [{"id": "gone", "state": "disconnected"}]},
    )
    assert patch(genesys, "gone", a="b").status_code == 404
    assert patch(genesys, "nobody", a="b").status_code == 404
    assert read(genesys, "gone", "over").status_code == 200


def test_a_patch_after_another_clients_change_is_409_until_it_is_read_again(
    sandbox: SandboxHandle, ask_as: Callable[..., Ask], talk: str
) -> None:
    sandbox.put_client("rival", system="genesys", organization="default", secret="s")
    mine, rivals = ask_as("sandbox-client", "sandbox-secret"), ask_as("rival", "s")
    for ask in (mine, rivals):
        read(ask, "user", talk)
    assert patch(rivals, "user", owner="rival").status_code == 200
    for _ in range(2):
        answer = patch(mine, "user", owner="me")
        assert (answer.status_code, answer.json()["code"]) == (409, "participant.changed")
    assert read(mine, "user", talk).json()["participantAttributes"]["owner"] == "rival"
    assert patch(mine, "user", owner="me").status_code == 200
    assert len(sandbox.effects(kind="participant.attributes")) == 2


def test_a_participant_that_was_never_read_cannot_be_changed(genesys: Ask, talk: str) -> None:
    answer = patch(genesys, "user", a="b")
    assert (answer.status_code, answer.json()["code"]) == (409, "participant.changed")
    read(genesys, "customer", talk)
    assert patch(genesys, "user", a="b").status_code == 409
    read(genesys, "user", talk)
    assert patch(genesys, "user", a="b").status_code == 200


def test_two_operations_of_one_client_do_not_know_what_the_other_has_read(
    genesys: Ask, talk: str
) -> None:
    def of(operation: str) -> Ask:
        headers = {"X-Correlation-Id": operation}
        return lambda method, path, **options: genesys(method, path, headers=headers, **options)

    one, other = of("one"), of("other")
    for ask in (one, other):
        read(ask, "user", talk)
    assert patch(one, "user", a="one").status_code == 200
    assert patch(other, "user", a="other").status_code == 409
    assert patch(genesys, "user", a="none").status_code == 409
    assert patch(one, "user", a="two").status_code == 200
    read(other, "user", talk)
    assert patch(other, "user", a="other").status_code == 200


def test_a_participant_who_has_left_a_live_conversation_is_404(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    parties = [{"id": "left", "state": "disconnected"}, {"id": "held", "state": "held"}]
    sandbox.put("conversations", "talk", {"participants": parties})
    for participant, status in (("left", 404), ("held", 200)):
        assert read(genesys, participant, "talk").status_code == 200
        assert patch(genesys, participant, a="b").status_code == status


def test_a_list_counts_as_reading_and_other_participants_do_not_matter(
    sandbox: SandboxHandle, ask_as: Callable[..., Ask], talk: str
) -> None:
    sandbox.put_client("rival", system="genesys", organization="default", secret="s")
    mine, rivals = ask_as("sandbox-client", "sandbox-secret"), ask_as("rival", "s")
    for ask in (mine, rivals):
        ask("GET", PARTICIPANTS, params={"conversationId": talk})
    assert patch(rivals, "customer", a="b").status_code == 200
    assert patch(mine, "user", a="b").status_code == 200
    assert patch(mine, "customer", a="b").status_code == 409


def test_a_change_made_over_control_is_a_change(
    sandbox: SandboxHandle, genesys: Ask, talk: str
) -> None:
    read(genesys, "user", talk)
    document = sandbox.get("conversations", talk)
    document["participants"][1]["participantAttributes"] = {"queue": "other"}
    sandbox.put("conversations", talk, document)
    assert patch(genesys, "user", a="b").status_code == 409


def test_seeded_conversations_are_as_odd_as_real_ones(sandbox: SandboxHandle) -> None:
    active = [
        sandbox.get("conversations", each) for each in sandbox.ids("conversations", state="active")
    ]
    firsts = []
    for conversation in active:
        users = [each for each in conversation["participants"] if each["type"] == "user"]
        assert any(each["state"] == "connected" for each in users)
        firsts.append(users[0]["state"])
    assert len(active) == 100
    assert firsts.count("connected") < len(active)
    assert max(len(each["participants"]) for each in active) > 50
    assert len(sandbox.ids("conversations", state="ended")) == 20
