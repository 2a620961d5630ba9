"""Targets: events pushed over HTTP as EventBridge's API destinations are, at least once."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.integration.outside import Outside, answer, reset
from tests.integration.outside import running as outside
from tests.support.waiting import wait_until
from workers.sandbox.testing import ManualClock, SandboxHandle, running

Ask = Callable[..., requests.Response]
CONTACT = "v2.externalcontacts.contacts.{}"
SECRET = "a-secret-of-the-receiver"
SECONDS = 30
#: How long a target waits before it tries again.
SOON: dict[str, Any] = {"first_wait_seconds": 0.01, "longest_wait_seconds": 0.02}


@pytest.fixture
def receiver() -> Iterator[Outside]:
    with outside() as receiver:
        yield receiver


@pytest.fixture
def target(sandbox: SandboxHandle, receiver: Outside) -> Callable[..., str]:
    """`target(option=…)` makes the receiver a target, and gives its id."""

    def target(**plan: Any) -> str:
        return sandbox.add_target(f"{receiver.url}/events/default", SECRET, **{**SOON, **plan})

    return target


def emit(sandbox: SandboxHandle, number: int) -> None:
    for name in range(number):
        sandbox.emit(CONTACT.format(name), {"id": str(name)})


def figures(sandbox: SandboxHandle) -> dict[str, Any]:
    """What has become of the only target's deliveries."""
    (shown,) = sandbox.events_summary()["targets"]
    return dict(shown)


def settled(sandbox: SandboxHandle) -> dict[str, Any]:
    """The same, once nothing waits."""
    wait_until(lambda: not figures(sandbox)["waiting"], SECONDS, "nothing waits")
    return figures(sandbox)


def received(receiver: Outside) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in receiver.requests]


def by_id(envelopes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in envelopes}


def test_every_event_is_pushed_as_eventbridge_delivers_it(
    sandbox: SandboxHandle, receiver: Outside, target: Callable[..., str]
) -> None:
    emit(sandbox, 1)
    target_id = target()
    emit(sandbox, 20)
    assert settled(sandbox) == {
        "id": target_id,
        "url": f"{receiver.url}/events/default",
        "delivered": 20,
        "retried": 0,
        "waiting": 0,
        "givenUp": 0,
        "answers": {"200": 20},
    }
    # What happened before it was a target is none of its business.
    assert by_id(received(receiver)) == by_id(sandbox.events("eventbridge", since=1))
    request = receiver.requests[0]
    assert (request.method, request.target) == ("POST", "/events/default")
    assert request.headers["x-bridge-secret"] == SECRET
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert [each["sentTo"] for each in sandbox.events(since=1)] == [[target_id]] * 20


def test_the_secret_is_carried_in_the_header_that_was_asked_for(
    sandbox: SandboxHandle, receiver: Outside, target: Callable[..., str]
) -> None:
    target(header="X-Api-Key")
    emit(sandbox, 1)
    settled(sandbox)
    assert receiver.requests[0].headers["x-api-key"] == SECRET
    assert SECRET not in json.dumps(sandbox.events_summary())


@pytest.mark.parametrize("status", [401, 409, 429, 500, 503])
def test_what_is_refused_for_now_is_delivered_later(
    sandbox: SandboxHandle, receiver: Outside, target: Callable[..., str], status: int
) -> None:
    receiver.behaviours[:] = [answer(status), answer(status), answer()]
    target(connections=1)
    emit(sandbox, 1)
    shown = settled(sandbox)
    assert (shown["delivered"], shown["retried"], shown["givenUp"]) == (1, 2, 0)
    assert shown["answers"] == {"200": 1, str(status): 2}
    first, *again = received(receiver)
    assert again == [first, first]


def test_what_is_not_answered_is_delivered_again(
    sandbox: SandboxHandle, receiver: Outside, target: Callable[..., str]
) -> None:
    receiver.behaviours[:] = [reset, receiver.hang, answer()]
    target(connections=1, timeout_seconds=0.1)
    emit(sandbox, 1)
    shown = settled(sandbox)
    assert shown["delivered"] == 1
    assert shown["answers"]["200"] == 1
    assert shown["retried"] == shown["answers"]["0"] >= 1


def test_a_target_that_is_away_gets_everything_once_it_is_back(sandbox: SandboxHandle) -> None:
    # Nobody else takes the port, and until somebody listens it refuses connections.
    back = Outside(listener=socket.socket())
    back.listener.bind(("127.0.0.1", 0))
    sandbox.add_target(f"{back.url}/", SECRET, **SOON)
    emit(sandbox, 3)
    wait_until(lambda: figures(sandbox)["retried"] > 3, SECONDS, "it was tried again")
    assert figures(sandbox)["waiting"] == 3
    back.listener.listen()
    serving = threading.Thread(target=back.serve, daemon=True)
    serving.start()
    assert settled(sandbox)["delivered"] == 3
    back.stopping.set()
    back.listener.shutdown(socket.SHUT_RDWR)
    serving.join(SECONDS)
    back.listener.close()


@pytest.mark.parametrize("status", [302, 400, 404, 413])
def test_what_can_never_be_taken_is_given_up(
    sandbox: SandboxHandle, receiver: Outside, target: Callable[..., str], status: int
) -> None:
    receiver.behaviours[:] = [answer(status, headers={"Location": "/elsewhere"}), answer()]
    target(connections=1)
    emit(sandbox, 2)
    shown = settled(sandbox)
    assert (shown["delivered"], shown["retried"], shown["givenUp"]) == (1, 0, 1)
    assert sorted(len(each["sentTo"]) for each in sandbox.events()) == [0, 1]


def test_an_event_is_given_up_after_so_many_attempts(
    sandbox: SandboxHandle, receiver: Outside, target: Callable[..., str]
) -> None:
    receiver.behaviours[:] = [answer(503)]
    target(attempts=3)
    emit(sandbox, 2)
    shown = settled(sandbox)
    assert (shown["retried"], shown["givenUp"], shown["answers"]) == (4, 2, {"503": 6})


def test_nobody_is_asked_again_sooner_than_they_want(
    sandbox: SandboxHandle, receiver: Outside, target: Callable[..., str]
) -> None:
    receiver.behaviours[:] = [answer(429, headers={"Retry-After": "1"}), answer()]
    target(connections=1)
    started = time.monotonic()
    emit(sandbox, 1)
    assert settled(sandbox)["retried"] == 1
    assert time.monotonic() - started >= 1


def test_some_events_come_twice_and_some_come_late(
    sandbox: SandboxHandle, receiver: Outside, target: Callable[..., str]
) -> None:
    target(connections=4, duplicates=0.3, reordered=0.3, late_seconds=0.2)
    emit(sandbox, 60)
    shown = settled(sandbox)
    copies = Counter(each["id"] for each in received(receiver))
    assert len(copies) == 60
    assert {*copies.values()} == {1, 2}
    assert shown["delivered"] == sum(copies.values())
    order = [int(each["detail"]["eventBody"]["id"]) for each in received(receiver)]
    assert order != sorted(order)


def test_a_share_of_the_events_may_be_lost_on_the_way(
    sandbox: SandboxHandle, receiver: Outside, target: Callable[..., str]
) -> None:
    target(share=0.5)
    emit(sandbox, 60)
    settled(sandbox)
    assert 10 < len(receiver.requests) < 50


def test_a_target_gets_what_it_was_made_for(sandbox: SandboxHandle, receiver: Outside) -> None:
    plan = {"contract": "guide", "topics": ["*.customer.end", CONTACT.format("a")]}
    sandbox.add_target(receiver.url, SECRET, "acme", **plan)
    for organization in ("default", "acme"):
        sandbox.end_conversation(
            sandbox.ids("interactions", organization, state="active")[0], organization
        )
        for each in sandbox.ids("platformConversations", organization):
            if "endTime" not in sandbox.get("platformConversations", each, organization):
                sandbox.end_conversation(each, organization)
                break
    # What a test makes up is of whichever contract.
    for name in ("a", "b"):
        sandbox.emit(CONTACT.format(name), {"id": name}, "acme")
    settled(sandbox)
    got = received(receiver)
    assert {each["source"] for each in got} == {"aws.partner/genesys.com/cloud/acme/sandbox"}
    assert Counter(each["detail-type"] for each in got) == {
        "v2.detail.events.conversation.{id}.customer.end": 1,
        CONTACT.format("{id}"): 1,
    }


def test_deliveries_share_a_bounded_number_of_connections(
    sandbox: SandboxHandle, receiver: Outside, target: Callable[..., str]
) -> None:
    busy, most, lock = 0, 0, threading.Lock()
    answered, all_emitted = answer(), threading.Event()

    def slowly(connection: socket.socket) -> bool:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        all_emitted.wait(SECONDS)
        receiver.stopping.wait(0.02)
        with lock:
            busy -= 1
        return answered(connection)

    receiver.behaviours[:] = [slowly]
    target(connections=3, timeout_seconds=60)
    emit(sandbox, 20)
    wait_until(lambda: busy == 3, SECONDS, "all connections are busy")
    all_emitted.set()
    assert settled(sandbox)["delivered"] == 20
    assert most == 3


def test_deliveries_keep_to_a_rate(
    sandbox: SandboxHandle, receiver: Outside, target: Callable[..., str]
) -> None:
    target(rate=50)
    started = time.monotonic()
    emit(sandbox, 30)
    settled(sandbox)
    assert time.monotonic() - started >= 29 / 50


def test_a_stream_goes_on_with_a_target_alone() -> None:
    """No socket and no request looks at the clock."""
    with running() as sandbox, outside() as receiver:
        sandbox.add_target(receiver.url, SECRET, contract="guide")
        sandbox.start_stream(rate=200, events=60, contract="guide")
        wait_until(lambda: len(receiver.requests) >= 60, SECONDS, "all of them have come")
        settled(sandbox)
        pushed = by_id(received(receiver))
        assert pushed == by_id(sandbox.events("eventbridge", contract="guide"))


def test_a_target_is_taken_away(
    sandbox: SandboxHandle, receiver: Outside, target: Callable[..., str], send: Ask
) -> None:
    first, second = target(), target()
    url = f"{sandbox.url}/sandbox/targets"
    assert send("DELETE", f"{url}/{first}").status_code == 200
    assert send("DELETE", f"{url}/{first}").status_code == 404
    assert figures(sandbox)["id"] == second
    emit(sandbox, 2)
    assert settled(sandbox)["delivered"] == 2
    assert len(receiver.requests) == 2
    sandbox.remove_targets()
    emit(sandbox, 2)
    assert sandbox.events_summary()["targets"] == []
    assert len(receiver.requests) == 2


def test_a_reset_takes_every_target_away(
    sandbox: SandboxHandle, receiver: Outside, target: Callable[..., str], clock: ManualClock
) -> None:
    receiver.behaviours[:] = [answer(503)]
    target()
    emit(sandbox, 5)
    wait_until(lambda: receiver.requests, SECONDS, "it is tried")
    sandbox.reset()
    assert sandbox.events_summary()["targets"] == []
    count = len(receiver.requests)
    receiver.stopping.wait(0.1)
    # Whatever was under way then.
    assert len(receiver.requests) <= count + 5


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"url": "ftp://x"}, "target.url"),
        ({"secret": None}, "target.secret"),
        ({"share": 2}, "target.share"),
        ({"header": "X:Y"}, "target.header"),
        ({"contract": "both"}, "target.contract"),
        ({"colour": "red"}, "target.colour"),
    ],
)
def test_a_wrong_target_is_refused_by_its_field(
    sandbox: SandboxHandle, plan: dict[str, Any], field: str
) -> None:
    given = {"url": "http://127.0.0.1:9/", "secret": SECRET, **plan}
    with pytest.raises(ValueError, match=field) as refused:
        sandbox.add_target(**given)
    assert SECRET not in str(refused.value)
