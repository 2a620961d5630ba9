"""Conversations of the Platform API: who takes part, and attributes that are kept later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
CONVERSATIONS = "/api/v2/conversations"


@pytest.fixture
def talk(sandbox: SandboxHandle) -> str:
    """Id of a conversation that goes on, with a customer and an agent."""
    parties = [
        {"id": "customer", "purpose": "customer", "attributes": {"lang": "de"}},
        {"id": "agent", "purpose": "agent"},
    ]
    sandbox.put("platformConversations", "talk", {"participants": parties})
    return "talk"


@pytest.fixture
def patch(platform: Ask, talk: str) -> Ask:
    """`patch(participant, **attributes)` sets attributes and gives the response."""

    def patch(participant: str, **attributes: Any) -> requests.Response:
        path = f"{CONVERSATIONS}/{talk}/participants/{participant}/attributes"
        return platform("PATCH", path, json={"attributes": attributes})

    return patch


@pytest.fixture
def attributes(platform: Ask, talk: str) -> Callable[[str], dict[str, str]]:
    """Reads the attributes of a participant."""

    def attributes(participant: str) -> dict[str, str]:
        parties = platform("GET", f"{CONVERSATIONS}/{talk}").json()["participants"]
        found: dict[str, str] = next(p["attributes"] for p in parties if p["id"] == participant)
        return found

    return attributes


def test_attributes_are_accepted_at_once_and_kept_later(
    sandbox: SandboxHandle,
    patch: Ask,
    attributes: Callable[[str], dict[str, str]],
    clock: ManualClock,
) -> None:
    accepted = patch("customer", vip="yes", lang="en")
    assert (accepted.status_code, accepted.content) == (202, b"")
    clock.advance(0.15)
    assert attributes("customer") == {"lang": "de"}
    assert sandbox.effects() == []
    clock.advance(0.1)
    assert attributes("customer") == {"lang": "en", "vip": "yes"}
    assert attributes("agent") == {}
    (effect,) = sandbox.effects(kind="attributes.set")
    assert effect["subject"] == "customer"
    assert effect["detail"]["keys"] == effect["detail"]["changed"] == ["lang", "vip"]
    assert "yes" not in str(effect)


def test_attributes_that_follow_each_other_are_all_kept_in_their_order(
    patch: Ask, attributes: Callable[[str], dict[str, str]], clock: ManualClock
) -> None:
    patch("agent", a="1", b="1")
    clock.advance(0.15)
    patch("agent", b="2", c="2")
    clock.advance(0.1)
    assert attributes("agent") == {"a": "1", "b": "1"}
    clock.advance(0.15)
    assert attributes("agent") == {"a": "1", "b": "2", "c": "2"}


def test_how_long_that_takes_is_an_option(
    sandbox: SandboxHandle,
    patch: Ask,
    attributes: Callable[[str], dict[str, str]],
    clock: ManualClock,
) -> None:
    sandbox.options(attributes_delay_seconds=30)
    patch("agent", a="1")
    clock.advance(29)
    assert attributes("agent") == {}
    clock.advance(1)
    assert attributes("agent") == {"a": "1"}


def test_attributes_that_come_after_the_end_are_accepted_and_not_kept(
    sandbox: SandboxHandle,
    patch: Ask,
    attributes: Callable[[str], dict[str, str]],
    clock: ManualClock,
    talk: str,
) -> None:
    assert patch("agent", a="1").status_code == 202
    ended = {**sandbox.get("platformConversations", talk), "endTime": "2027-01-15T08:00:00.000Z"}
    sandbox.put("platformConversations", talk, ended)
    assert patch("agent", b="2").status_code == 202
    clock.advance(1)
    assert attributes("agent") == {}
    assert sandbox.effects() == []


@pytest.mark.parametrize(
    "body",
    [{"attributes": {"a": 1}}, {"attributes": {"a": None}}, {"attributes": []}, {"a": "b"}, []],
)
def test_attributes_are_texts_by_name(platform: Ask, talk: str, body: Any) -> None:
    path = f"{CONVERSATIONS}/{talk}/participants/agent/attributes"
    assert platform("PATCH", path, json=body).status_code == 400


def test_who_is_not_in_the_conversation_is_not_found(patch: Ask, platform: Ask) -> None:
    refused = patch("nobody", a="1")
    code = "conversation.error.participant.not.found"
    assert (refused.status_code, refused.json()["code"]) == (404, code)
    for method, path in (("GET", "none"), ("PATCH", "none/participants/agent/attributes")):
        refused = platform(
            method, f"{CONVERSATIONS}/{path}", json={} if method == "PATCH" else None
        )
        assert (refused.status_code, refused.json()["code"]) == (404, "not.found")


def test_attributes_need_no_permission_and_reading_does(
    sandbox: SandboxHandle, patch: Ask, platform: Ask, talk: str
) -> None:
    sandbox.put_client("platform-client", permissions=[])
    assert patch("agent", a="1").status_code == 202
    refused = platform("GET", f"{CONVERSATIONS}/{talk}")
    named = {"permissions": "conversation:communication:view"}
    assert (refused.status_code, refused.json()["messageParams"]) == (403, named)


def test_somebody_else_changes_a_conversation_after_it_was_read(
    sandbox: SandboxHandle, platform: Ask, talk: str
) -> None:
    route = f"{CONVERSATIONS}/{{conversationId}}"
    changes = {"endTime": "2027-01-15T08:00:00.000Z"}
    sandbox.fault(kind="foreign_write", system="platform", route=route, changes=changes)
    first, second = (platform("GET", f"{CONVERSATIONS}/{talk}").json() for _ in range(2))
    assert ("endTime" in first, "endTime" in second) == (False, True)


def test_seeded_conversations_are_as_odd_as_real_ones(
    sandbox: SandboxHandle, platform: Ask
) -> None:
    kind = "platformConversations"
    held = [sandbox.get(kind, each) for each in sandbox.ids(kind)]
    live = [each for each in held if "endTime" not in each]
    contacts = set(sandbox.ids("externalContacts"))
    media, firsts = set(), []
    for conversation in live:
        parties = platform("GET", f"{CONVERSATIONS}/{conversation['id']}").json()["participants"]
        media |= {name for each in parties for name in ("calls", "messages") if name in each}
        states = [
            communication["state"]
            for each in parties
            if each["purpose"] == "agent"
            for communication in each.get("calls", each.get("messages"))
        ]
        assert "connected" in states
        assert parties[0]["externalContactId"] in contacts
        firsts.append(states[0])
    assert media == {"calls", "messages"}
    assert 0 < firsts.count("connected") < len(live)
    assert len(live) >= 80
    assert len(held) > len(live)
