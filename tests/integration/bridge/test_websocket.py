"""A tenant's topics are heard, whatever the service does; what is missed is a gap."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from tasks.apis.notification_service import NotificationService
from tests.integration.bridge.hearing import TENANT, TIMING, Heard, Taken, hearing
from tests.support import platform
from tests.support.cluster import Cluster
from tests.support.tenants import platform_tenant, tenant, tenants_file
from workers.app import Services, create_app
from workers.bridge.state.backoff import Waits
from workers.sandbox.testing import SandboxHandle

CONTACT = "v2.externalcontacts.contacts.{}"
QUEUE = "v2.routing.queues.{}.conversations.messages"
A, B = CONTACT.format("a"), CONTACT.format("b")
SOCKET = "/channels/{channelId}"
SUBSCRIPTIONS = "/api/v2/notifications/channels/{channelId}/subscriptions"


@pytest.fixture
def sandbox(shared_sandbox: SandboxHandle) -> SandboxHandle:
    shared_sandbox.reset()
    shared_sandbox.options(heartbeat_seconds=0.1, notice_seconds=0.5)
    return shared_sandbox


@pytest.fixture(params=["platform", "guide"])
def contract(request: pytest.FixtureRequest) -> str:
    named: str = request.param
    return named


Serve = Callable[[str], Services]


@pytest.fixture
def serve(cluster: Cluster) -> Iterator[Serve]:
    """Gives the services of a tenant of a contract."""
    apps = []

    def serve(contract: str) -> Services:
        table = (platform_tenant if contract == "platform" else tenant)(cluster.sandbox)
        cluster.environment["TENANTS_FILE"] = tenants_file(cluster.folder, **{TENANT: table})
        apps.append(create_app(cluster.settings(), cluster.tenants()))
        return apps[-1].services

    yield serve
    for app in apps:
        app.services.close()


@pytest.fixture
def services(serve: Serve) -> Services:
    return serve("platform")


Say = Callable[..., None]


@pytest.fixture
def say(sandbox: SandboxHandle) -> Say:
    """Sends events of a topic out, with these numbers in them."""

    def say(*numbers: int, topic: str = A) -> None:
        for number in numbers:
            sandbox.emit(topic, {"n": number})

    return say


def test_events_are_heard_in_their_order_by_either_contract(
    serve: Serve, contract: str, sandbox: SandboxHandle, say: Say
) -> None:
    with hearing(serve(contract), A, B) as heard:
        heard.wait_connected()
        say(*range(50))
        say(50, topic=B)
        heard.wait(lambda: len(heard.taken.events) == 51, "all are taken")
        assert heard.taken.numbers == list(range(51))
        assert {each.source for each in heard.taken.events} == {"websocket"}
        assert heard.gaps == []
        assert heard.figure("connected_sockets") == heard.source.channels == 1
        assert heard.source.connected_since == pytest.approx(time.time(), abs=60)
        (channel,) = sandbox.channels()
        assert channel["topics"] == [A, B]
    assert heard.figure("connected_sockets") == 0
    assert not heard.connected


def test_heartbeats_move_the_position(services: Services) -> None:
    with hearing(services, A) as heard:
        heard.wait_connected()
        first = heard.position
        assert first == pytest.approx(services.store.now(), abs=5)
        heard.wait(lambda: heard.position > first + 0.3, "it has moved")
        assert heard.position <= services.store.now()
    assert heard.taken.events == []


def test_a_bridge_that_starts_again_uses_its_channel_and_knows_what_it_missed(
    services: Services, sandbox: SandboxHandle, say: Say
) -> None:
    with hearing(services, A) as heard:
        heard.wait_connected()
    before = heard.position
    say(1)
    missed_until = services.store.now()
    with hearing(services, A) as heard:
        heard.wait_connected()
        say(2)
        heard.wait(lambda: heard.taken.numbers == [2], "it is heard again")
        (gap,) = heard.gaps
        assert gap.reason == "start"
        assert gap.start == before
        assert missed_until < gap.end <= services.store.now()
    assert len(sandbox.effects(kind="channel.made")) == 1


def test_a_channel_has_a_thousand_topics_and_the_rest_have_another(
    services: Services, sandbox: SandboxHandle, say: Say
) -> None:
    topics = [CONTACT.format(f"c{number:04}") for number in range(1_001)]
    with hearing(services, *topics) as heard:
        heard.wait_connected()
        assert sorted(len(each["topics"]) for each in sandbox.channels()) == [1, 1_000]
        say(1, topic=topics[0])
        say(2, topic=topics[-1])
        heard.wait(lambda: sorted(heard.taken.numbers) == [1, 2], "both are heard")
        assert heard.figure("connected_sockets") == 2


def test_a_silent_socket_is_replaced_as_soon_as_that_is_sure(
    serve: Serve, contract: str, sandbox: SandboxHandle, say: Say
) -> None:
    with hearing(serve(contract), A, timing=replace(TIMING, silence=1.0)) as heard:
        heard.wait_connected()
        muted = time.monotonic()
        sandbox.sockets("mute")
        say(1)
        heard.wait_gaps(1)
        assert time.monotonic() - muted < TIMING.silence
        say(2)
        heard.wait(lambda: heard.taken.numbers == [2], "it is heard again")
        assert heard.reasons == ["silent"]
        assert_missed_in_gaps(heard, sandbox)
    assert len(sandbox.effects(kind="channel.made")) == 1


def assert_missed_in_gaps(heard: Heard, sandbox: SandboxHandle, margin: float = 1.0) -> int:
    """Assert that each event that was not taken was sent in a gap; return how many were not."""
    taken, missed = set(heard.taken.numbers), 0
    for each in sandbox.events(topic=A):
        if each["detail"]["eventBody"]["n"] not in taken:
            missed += 1
            assert any(gap.start - margin <= each["at"] <= gap.end for gap in heard.gaps)
    return missed


def test_each_drop_in_the_middle_of_a_stream_is_a_gap_around_all_that_is_lost(
    services: Services, sandbox: SandboxHandle, say: Say
) -> None:
    with hearing(services, A) as heard:
        heard.wait_connected()
        for drop in range(10):
            start = drop * 100
            say(*range(start, start + 5))
            assert sandbox.sockets("drop") == 1
            say(*range(start + 5, start + 15))
            heard.wait_gaps(drop + 1)
            heard.wait_connected()
        say(9_999)
        heard.wait(lambda: 9_999 in heard.taken.numbers, "it is heard to the end")
        assert heard.taken.numbers == sorted(heard.taken.numbers)
        assert heard.reasons == ["dropped"] * 10
        assert assert_missed_in_gaps(heard, sandbox) > 0
        assert heard.figure("reconnects_total") == 10


def test_a_rejected_topic_is_told_and_the_others_are_heard(
    services: Services, sandbox: SandboxHandle, say: Say
) -> None:
    sandbox.put_client("platform-client", permissions=["externalContacts:contact:view"])
    forbidden, unknown = QUEUE.format("q"), "v2.users.u.nonsense"
    with capture_logs() as logs, hearing(services, A, forbidden, unknown, B) as heard:
        heard.wait_connected()
        say(1)
        say(2, topic=B)
        heard.wait(lambda: heard.taken.numbers == [1, 2], "the others are heard")
        assert heard.source.rejected == heard.figure("rejected_topics") == 2
    told = {each["topic"]: each for each in logs if each["event"] == "bridge.topic_rejected"}
    assert told.keys() == {forbidden, unknown}
    assert told[forbidden]["missing"] == ["conversation:communication:view"]
    assert told[unknown]["reason"] == "notification.invalid.topic"


def test_where_no_topic_is_permitted_nothing_is_connected_until_one_is(
    services: Services, sandbox: SandboxHandle, say: Say
) -> None:
    sandbox.put_client("platform-client", permissions=[])
    with capture_logs() as logs, hearing(services, A) as heard:
        heard.wait(lambda: len(told(logs, "bridge.not_connected")) > 1, "it is tried again")
        assert not heard.connected
        sandbox.put_client("platform-client", permissions=["externalContacts:contact:view"])
        heard.wait_connected()
        say(1)
        heard.wait(lambda: heard.taken.numbers == [1], "it is heard")
    assert told(logs, "bridge.not_connected")[0] == "none of its topics may be subscribed"
    assert len(sandbox.effects(kind="socket.opened")) == 1


def told(logs: list[Any], event: str) -> list[str]:
    """Return the reasons that log lines of an event give."""
    return [each.get("reason", "") for each in logs if each["event"] == event]


@pytest.mark.parametrize("order", ["revoke_token", "expire"])
def test_a_channel_that_is_taken_away_is_replaced(
    services: Services, sandbox: SandboxHandle, say: Say, order: str
) -> None:
    with hearing(services, A) as heard:
        heard.wait_connected()
        (before,) = sandbox.channels()
        sandbox.sockets(order)
        say(1)
        heard.wait_gaps(1)
        say(2)
        heard.wait(lambda: heard.taken.numbers == [2], "it is heard again")
        (after,) = sandbox.channels()
        assert after["id"] != before["id"]
        assert heard.reasons == ["revoked"]
        assert_missed_in_gaps(heard, sandbox)


def test_a_socket_that_will_close_is_followed_before_it_does(
    serve: Serve, contract: str, sandbox: SandboxHandle, say: Say
) -> None:
    sandbox.options(notice_seconds=10)
    with hearing(serve(contract), A) as heard:
        heard.wait_connected()
        sandbox.sockets("closing")
        number = 0
        while len(sandbox.effects(kind="socket.opened")) < 2:
            say(number)
            number += 1
        say(*range(number, number + 20))
        number += 20
        heard.wait(lambda: len(heard.taken.numbers) == number, "nothing is lost")
        assert heard.taken.numbers == list(range(number))
        assert heard.connected
        assert set(heard.reasons) <= {"closing"}
    effects = sandbox.effects()
    kinds = [each["kind"] for each in effects if each["kind"].startswith("socket.")]
    assert kinds[:3] == ["socket.opened", "socket.opened", "socket.closed"]
    replaced = [each["detail"]["reason"] for each in effects if each["kind"] == "socket.closed"]
    assert replaced[0] == "replaced"
    assert len({each["subject"] for each in effects if each["kind"] == "socket.opened"}) == 1


def test_a_socket_that_cannot_be_followed_is_heard_to_its_end(
    services: Services, sandbox: SandboxHandle, say: Say
) -> None:
    sandbox.options(notice_seconds=3)
    with capture_logs() as logs, hearing(services, A) as heard:
        heard.wait_connected()
        sandbox.fault(kind="status", status=503, route=SOCKET)
        sandbox.sockets("closing")
        heard.wait(lambda: told(logs, "bridge.not_handed_over"), "it could not be followed")
        say(1)
        heard.wait(lambda: heard.taken.numbers == [1], "it is heard still")
        heard.wait_gaps(1)
        say(2)
        heard.wait(lambda: heard.taken.numbers == [1, 2], "it is heard again")
        assert heard.reasons == ["closed"]


def test_no_21st_channel_is_made_and_a_free_one_is_waited_for(
    services: Services, sandbox: SandboxHandle, say: Say
) -> None:
    others = NotificationService(http=platform.connect(sandbox))
    for _ in range(19):
        others.create_channel()
    sandbox.options(channel_seconds=4)
    others.create_channel()
    sandbox.options(channel_seconds=3_600)
    taken = {each["id"] for each in sandbox.channels()}
    with capture_logs() as logs, hearing(services, A) as heard:
        heard.wait(lambda: len(told(logs, "bridge.not_connected")) > 1, "it is tried again")
        assert "20 of 20 notification channels" in told(logs, "bridge.not_connected")[0]
        heard.wait_connected()
        say(1)
        heard.wait(lambda: heard.taken.numbers == [1], "it is heard")
    assert len(taken & {each["id"] for each in sandbox.channels()}) == 19
    reasons = {each["detail"].get("reason") for each in sandbox.effects(kind="socket.closed")}
    assert "evicted" not in reasons


def test_while_the_broker_is_away_nothing_is_heard_and_all_of_it_is_a_gap(
    services: Services, sandbox: SandboxHandle, say: Say
) -> None:
    with hearing(services, A) as heard:
        heard.wait_connected()
        say(1)
        heard.wait(lambda: heard.taken.numbers == [1], "it is heard")
        heard.taken.away = True
        say(2)
        heard.wait(lambda: heard.taken.refused, "the broker does not take it")
        heard.wait(lambda: sandbox.effects(kind="socket.closed"), "the socket is closed")
        heard.taken.away = False
        heard.wait_connected()
        say(3)
        heard.wait(lambda: heard.taken.numbers == [1, 3], "it is heard again")
        assert "broker away" in heard.reasons
        assert assert_missed_in_gaps(heard, sandbox) == 1


def renewals(sandbox: SandboxHandle) -> int:
    """Return how often a channel was subscribed."""
    return len(sandbox.effects(kind="subscriptions.set"))


def test_a_channel_is_renewed_before_it_ends(
    services: Services, sandbox: SandboxHandle, say: Say
) -> None:
    sandbox.options(channel_seconds=3)
    with hearing(services, A) as heard:
        heard.wait_connected()
        heard.wait(lambda: renewals(sandbox) > 3, "it is renewed again and again")
        say(1)
        heard.wait(lambda: heard.taken.numbers == [1], "it is heard")
        assert heard.gaps == []
    assert len(sandbox.effects(kind="channel.made")) == 1


def test_a_channel_that_is_gone_when_it_is_renewed_is_replaced(
    services: Services, sandbox: SandboxHandle
) -> None:
    sandbox.options(channel_seconds=3)
    with hearing(services, A) as heard:
        heard.wait_connected()
        body = {"status": 404, "code": "entity.not.found", "message": "not found"}
        sandbox.fault(kind="status", status=404, body=body, route=SUBSCRIPTIONS)
        heard.wait_gaps(1)
        assert heard.reasons == ["revoked"]
    assert len(sandbox.effects(kind="channel.made")) == 2


def test_a_renewal_that_fails_is_tried_again_in_time(
    services: Services, sandbox: SandboxHandle
) -> None:
    sandbox.options(channel_seconds=6)
    with capture_logs() as logs, hearing(services, A) as heard:
        heard.wait_connected()
        sandbox.fault(kind="status", status=503, route=SUBSCRIPTIONS, times=2)
        heard.wait(lambda: len(told(logs, "bridge.not_renewed")) == 2, "it has failed")
        before = len(sandbox.effects(kind="subscriptions.set"))
        heard.wait(lambda: len(sandbox.effects(kind="subscriptions.set")) > before, "it is renewed")
        assert heard.gaps == []


def test_a_handshake_says_how_long_to_wait(services: Services, sandbox: SandboxHandle) -> None:
    headers = {"Retry-After": "1"}
    sandbox.fault(kind="status", status=503, headers=headers, route=SOCKET)
    with hearing(services, A) as heard:
        heard.wait_connected()
    refused, opened = sandbox.journal(route=SOCKET)
    assert (refused["status"], opened["status"]) == (503, 101)
    assert opened["at"] - refused["at"] >= 1.0


def test_a_channel_without_a_socket_to_connect_to_is_replaced(
    services: Services, sandbox: SandboxHandle
) -> None:
    sandbox.fault(kind="status", status=404, route=SOCKET)
    with hearing(services, A) as heard:
        heard.wait_connected()
    assert len(sandbox.effects(kind="channel.made")) == 2


def test_what_always_fails_is_tried_seldom_and_a_restart_waits_too(
    services: Services, sandbox: SandboxHandle
) -> None:
    sandbox.fault(kind="status", status=503, route=SOCKET, times=None)
    timing = replace(TIMING, failed=Waits(first=0.2, longest=60))
    with hearing(services, A, timing=timing) as heard:
        heard.wait(lambda: len(sandbox.journal(route=SOCKET)) >= 3, "it was tried three times")
    tried = [each["at"] for each in sandbox.journal(route=SOCKET)]
    assert tried[1] - tried[0] >= 0.1
    assert tried[2] - tried[1] >= 0.2
    sandbox.clear_faults()
    with hearing(services, A, timing=timing) as heard:
        heard.wait_connected()
    assert sandbox.journal(route=SOCKET)[-1]["at"] - tried[-1] >= 0.4


def test_a_connection_that_lasts_forgets_failures(
    services: Services, sandbox: SandboxHandle
) -> None:
    sandbox.fault(kind="status", status=503, route=SOCKET, times=2)
    with hearing(services, A, timing=replace(TIMING, steady=1.5)) as heard:
        heard.wait_connected()
        backoff = heard.source._means.pace._backoff
        assert backoff.failing().failures == 2
        heard.wait(lambda: backoff.failing().failures == 0, "they are forgotten")


def test_what_is_refused_is_told_and_left_alone_for_a_while(
    services: Services, sandbox: SandboxHandle
) -> None:
    sandbox.put_client("platform-client", secret="another")
    timing = replace(TIMING, refused=Waits(first=0.4, longest=60))
    with capture_logs() as logs, hearing(services, A, timing=timing) as heard:
        heard.wait(lambda: len(told(logs, "bridge.not_connected")) >= 2, "it is told")
        sandbox.put_client("platform-client", secret="platform-secret")
        heard.wait_connected()
    assert "answered 401" in told(logs, "bridge.not_connected")[0]
    first, second, third, *_ = (each["at"] for each in sandbox.journal(route="/oauth/token"))
    assert second - first >= 0.2
    assert third - second >= 0.4


def test_many_sockets_that_end_at_once_are_not_opened_at_once(
    services: Services, sandbox: SandboxHandle
) -> None:
    topics = [CONTACT.format(f"c{number:04}") for number in range(2_001)]
    with hearing(services, *topics, timing=replace(TIMING, apart=0.2)) as heard:
        heard.wait_connected()
        sandbox.sockets("drop")
        heard.wait_gaps(3)
        assert heard.source._means.pace._backoff.failing().failures <= 1
    tried = [each["at"] for each in sandbox.journal(method="HEAD")]
    assert len(tried) == 3
    assert tried[-1] - tried[0] >= 0.15


def test_what_is_no_event_is_counted_and_the_next_one_heard(
    services: Services, sandbox: SandboxHandle, say: Say
) -> None:
    with hearing(services, A) as heard:
        heard.wait_connected()
        sandbox.emit(A, {"n": 0, "text": "x" * 2 * 1024 * 1024})
        say(1)
        heard.wait(lambda: heard.taken.numbers == [1], "the next one is heard")
        assert heard.taken.unread == ["too large"]
        assert heard.gaps == []
        sandbox.emit(A, {"n": 2, "text": "x" * 5 * 1024 * 1024})
        heard.wait_gaps(1)
        say(3)
        heard.wait(lambda: heard.taken.numbers == [1, 3], "the next one is heard")
        assert heard.taken.unread == ["too large", "too large"]
        assert heard.reasons == ["too large"]


def test_a_fault_of_ours_does_not_end_the_hearing(services: Services, say: Say) -> None:
    class Broken(Taken):
        async def take(self, tenant: str, events: Any) -> None:
            if not self.refused:
                self.refused += 1
                raise LookupError("+47 22 33 44 55")
            await super().take(tenant, events)

    with capture_logs() as logs, hearing(services, A, taken=Broken()) as heard:
        heard.wait_connected()
        say(1)
        heard.wait_gaps(1)
        say(2)
        heard.wait(lambda: heard.taken.numbers == [2], "it is heard again")
        assert heard.reasons == ["fault"]
    assert told(logs, "bridge.not_connected")[0].startswith("fault: LookupError in ")
    assert "22 33" not in json.dumps(logs)


def test_where_a_channel_is_connected_to_is_never_told(
    services: Services, sandbox: SandboxHandle
) -> None:
    with capture_logs() as logs, hearing(services, A) as heard:
        heard.wait_connected()
        sandbox.fault(kind="status", status=503, route=SOCKET, times=2)
        sandbox.sockets("drop")
        heard.wait_gaps(1)
        (channel,) = sandbox.channels()
    assert told(logs, "bridge.not_connected")
    assert channel["id"] not in json.dumps(logs)


def test_a_shard_that_is_new_or_gone_leaves_nothing_unknown(services: Services, say: Say) -> None:
    topics = [CONTACT.format(f"c{number:04}") for number in range(1_001)]
    with hearing(services, *topics[:1_000]) as heard:
        heard.wait_connected()
    first = heard.position
    with hearing(services, *topics) as heard:
        heard.wait_connected()
        assert [(gap.start, gap.reason) for gap in heard.gaps] == [(first, "start")] * 2
    with hearing(services, topics[0]) as heard:
        heard.wait_connected()
        assert heard.reasons == ["start"] * 4
        assert set(heard.source._means.positions.all()) == {"0"}
