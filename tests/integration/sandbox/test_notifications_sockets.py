"""The sockets of channels: what they carry, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import pytest
import requests

from tests.support.waiting import wait_until
from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
CHANNELS = "/api/v2/notifications/channels"
CONTACT = "v2.externalcontacts.contacts.{}"
SECONDS = 30


@dataclass(frozen=True)
class Line:
    """A channel and its open socket."""

    channel: str
    uri: str
    socket: aiohttp.ClientWebSocketResponse

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        heard: dict[str, Any] = await self.socket.receive_json(timeout=SECONDS)
        return heard

    async def ends(self) -> int | None:
        """Wait for the end and return the close code that the service gave: None for none."""
        message = await self.socket.receive(timeout=SECONDS)
        while message.type is aiohttp.WSMsgType.TEXT:
            message = await self.socket.receive(timeout=SECONDS)
        return message.data if message.type is aiohttp.WSMsgType.CLOSE else None


@pytest.fixture
def channel(platform: Ask) -> Callable[..., tuple[str, str]]:
    """Makes a channel that listens to topics; gives its id and `connectUri`."""

    def channel(*topics: str) -> tuple[str, str]:
        made = platform("POST", CHANNELS, json={}).json()
        body = [{"id": each} for each in topics]
        platform("POST", f"{CHANNELS}/{made['id']}/subscriptions", json=body)
        return made["id"], made["connectUri"]

    return channel


Talk = Callable[..., None]


@pytest.fixture
def talk(channel: Callable[..., tuple[str, str]]) -> Talk:
    """`talk(story, topic, …)` runs a story with the line of a channel that listens to these."""

    def talk(story: Callable[[Line], Awaitable[None]], *topics: str) -> None:
        channel_id, uri = channel(*topics)

        async def run() -> None:
            async with aiohttp.ClientSession() as session, session.ws_connect(uri) as socket:
                await story(Line(channel_id, uri, socket))

        asyncio.run(run())

    return talk


def test_a_socket_carries_the_events_that_its_channel_listens_to(
    sandbox: SandboxHandle, talk: Talk
) -> None:
    async def story(line: Line) -> None:
        sandbox.emit(CONTACT.format("b"), {"id": "b"})
        event_id = sandbox.emit(CONTACT.format("a"), {"id": "a"})
        sandbox.emit(CONTACT.format("a"), {"id": "a"}, "acme")
        heard = await line.hear()
        assert heard["topicName"] == CONTACT.format("a")
        assert (heard["version"], heard["eventBody"]) == ("2", {"id": "a"})
        assert heard["timestamp"] == "2027-01-15T08:00:00.000Z"
        assert heard == sandbox.events("detail")[1]
        sandbox.emit(CONTACT.format("a"), {"id": "last"})
        assert (await line.hear())["eventBody"] == {"id": "last"}
        sent = {each["id"]: each["sentTo"] for each in sandbox.events()}
        assert list(sent.values()) == [[], [line.channel], [], [line.channel]]
        assert sent[event_id] == [line.channel]

    talk(story, CONTACT.format("a"))


def test_heartbeats_come_as_time_passes_and_a_ping_is_answered(
    sandbox: SandboxHandle, talk: Talk, clock: ManualClock
) -> None:
    async def story(line: Line) -> None:
        for _ in range(2):
            clock.advance(30)
            assert await line.hear() == {
                "topicName": "channel.metadata",
                "eventBody": {"message": "WebSocket Heartbeat"},
            }
        for sent in ("{", '{"message":"pang"}', "[1]"):
            await line.socket.send_str(sent)
        await line.socket.send_json({"message": "ping"})
        pong = {"topicName": "channel.metadata", "eventBody": {"message": "pong"}}
        assert await line.hear() == pong

    talk(story)


def test_what_is_sent_while_no_socket_is_open_is_lost(
    sandbox: SandboxHandle, channel: Callable[..., tuple[str, str]]
) -> None:
    channel_id, uri = channel(CONTACT.format("a"))
    sandbox.emit(CONTACT.format("a"), {"id": "missed"})

    async def story() -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(uri) as socket:
            sandbox.emit(CONTACT.format("a"), {"id": "heard"})
            heard = await socket.receive_json(timeout=SECONDS)
            assert heard["eventBody"] == {"id": "heard"}

    asyncio.run(story())
    assert [each["sentTo"] for each in sandbox.events()] == [[], [channel_id]]


def test_a_second_connection_closes_the_first(sandbox: SandboxHandle, talk: Talk) -> None:
    async def story(line: Line) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(line.uri) as second:
            assert await line.ends() == 1001
            sandbox.emit(CONTACT.format("a"), {"id": "a"})
            assert (await second.receive_json(timeout=SECONDS))["eventBody"] == {"id": "a"}
            assert [each["connected"] for each in sandbox.channels()] == [True]

    talk(story, CONTACT.format("a"))


def test_a_channel_that_nobody_knows_has_no_socket(sandbox: SandboxHandle, send: Ask) -> None:
    answer = send("GET", f"{sandbox.platform_url}/channels/nobody")
    assert (answer.status_code, answer.json()["code"]) == (404, "not.found")


def test_a_request_that_is_no_handshake_is_refused(
    channel: Callable[..., tuple[str, str]], send: Ask
) -> None:
    _, uri = channel()
    assert send("GET", uri.replace("ws", "http", 1)).status_code == 400


def test_a_socket_that_will_close_says_so_first(
    sandbox: SandboxHandle, talk: Talk, clock: ManualClock
) -> None:
    async def story(line: Line) -> None:
        sandbox.sockets("closing")
        told = await line.hear()
        assert told["topicName"] == "v2.system.socket_closing"
        assert told["eventBody"]["channelId"] == line.channel
        clock.advance(25)
        sandbox.emit(CONTACT.format("a"), {"id": "still"})
        assert (await line.hear())["eventBody"] == {"id": "still"}
        clock.advance(35)
        assert await line.ends() == 1001

    talk(story, CONTACT.format("a"))


@pytest.mark.parametrize("order", ["expire", "revoke_token"])
def test_a_channel_that_is_taken_away_says_so(
    sandbox: SandboxHandle, talk: Talk, platform: Ask, order: str
) -> None:
    async def story(line: Line) -> None:
        sandbox.sockets(order, line.channel)
        if order == "revoke_token":
            told = await line.hear()
            assert told["topicName"] == f"v2.system.token_revoked.{line.channel}"
        told = await line.hear()
        assert told["topicName"] == f"v2.system.no_longer_subscribed.{line.channel}"
        assert told["eventBody"]["channelId"] == line.channel
        assert await line.ends() == 1001

    talk(story)
    assert sandbox.channels() == []
    answer = platform("GET", CHANNELS).status_code
    assert answer == (401 if order == "revoke_token" else 200)


def test_an_evicted_channel_says_so(sandbox: SandboxHandle, talk: Talk, platform: Ask) -> None:
    async def story(line: Line) -> None:
        async with aiohttp.ClientSession() as session:
            sockets = []
            for _ in range(19):
                uri = platform("POST", CHANNELS, json={}).json()["connectUri"]
                sockets.append(await session.ws_connect(uri))
            platform("POST", CHANNELS, json={})
            told = await line.hear()
            assert told["topicName"] == f"v2.system.no_longer_subscribed.{line.channel}"
            assert await line.ends() == 1001
            for each in sockets:
                await each.close()

    talk(story)


def test_a_channel_without_a_socket_is_evicted_first(
    sandbox: SandboxHandle, talk: Talk, platform: Ask, clock: ManualClock
) -> None:
    async def story(line: Line) -> None:
        silent = []
        for _ in range(20):
            clock.advance(1)
            silent.append(platform("POST", CHANNELS, json={}).json()["id"])
        assert [each["id"] for each in sandbox.channels()] == [line.channel, *silent[1:]]

    talk(story)


def test_a_dropped_socket_ends_without_a_close(sandbox: SandboxHandle, talk: Talk) -> None:
    async def story(line: Line) -> None:
        assert sandbox.sockets("drop") == 1
        assert await line.ends() is None
        assert sandbox.sockets("drop") == 0

    talk(story)
    with pytest.raises(ValueError, match="socket"):
        sandbox.sockets("drop", "nobody")


def test_a_socket_that_went_silent_stays_open(
    sandbox: SandboxHandle, talk: Talk, clock: ManualClock
) -> None:
    async def story(line: Line) -> None:
        sandbox.sockets("mute")
        clock.advance(60)
        sandbox.emit(CONTACT.format("a"), {"id": "a"})
        await line.socket.send_json({"message": "ping"})
        with pytest.raises(asyncio.TimeoutError):
            await line.socket.receive(timeout=0.2)
        assert sandbox.channels()[0]["connected"]

    talk(story, CONTACT.format("a"))
    assert sandbox.events()[0]["sentTo"] == []


def test_a_fault_cuts_a_socket_after_so_many_events(sandbox: SandboxHandle, talk: Talk) -> None:
    sandbox.fault(kind="drop_socket", events=2)

    async def story(line: Line) -> None:
        for number in range(4):
            sandbox.emit(CONTACT.format("a"), {"id": number})
        assert [(await line.hear())["eventBody"]["id"] for _ in range(2)] == [0, 1]
        assert await line.ends() is None

    talk(story, CONTACT.format("a"))
    assert [len(each["sentTo"]) for each in sandbox.events()] == [1, 1, 0, 0]
    (effect,) = sandbox.effects(kind="socket.closed")
    assert effect["detail"] == {"reason": "dropped", "sent": 2}


@pytest.mark.parametrize(
    ("fault", "ends"),
    [({"kind": "drop_socket"}, None), ({"kind": "closing_socket", "seconds": 5}, 1001)],
)
def test_faults_end_the_sockets_that_they_hit(
    sandbox: SandboxHandle,
    talk: Talk,
    clock: ManualClock,
    fault: dict[str, Any],
    ends: int | None,
) -> None:
    sandbox.fault(**fault)

    async def story(line: Line) -> None:
        clock.advance(5)
        if ends:
            assert (await line.hear())["topicName"] == "v2.system.socket_closing"
            clock.advance(60)
        assert await line.ends() == ends

    talk(story)


def test_a_fault_makes_a_socket_that_carries_nothing(
    sandbox: SandboxHandle, talk: Talk, clock: ManualClock
) -> None:
    sandbox.fault(kind="mute_socket")

    async def story(line: Line) -> None:
        clock.advance(31)
        with pytest.raises(asyncio.TimeoutError):
            await line.socket.receive(timeout=0.2)

    talk(story)


def test_a_handshake_can_be_refused_as_any_request(
    sandbox: SandboxHandle, channel: Callable[..., tuple[str, str]]
) -> None:
    _, uri = channel()
    sandbox.fault(kind="status", status=503, route="/channels/{channelId}")

    async def connect() -> None:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
                await session.ws_connect(uri)
            async with session.ws_connect(uri) as socket:
                assert not socket.closed

    asyncio.run(connect())


@pytest.mark.parametrize("kind", ["drop_socket", "refuse_topics"])
def test_a_fault_of_sockets_hits_no_other_request(sandbox: SandboxHandle, kind: str) -> None:
    with pytest.raises(ValueError, match="route"):
        sandbox.fault(kind=kind, route="/oauth/token")
    with pytest.raises(ValueError, match="no operation"):
        sandbox.fault(kind=kind, system="cxone")


def test_connections_are_journaled_with_what_they_carried(
    sandbox: SandboxHandle, talk: Talk
) -> None:
    async def story(line: Line) -> None:
        sandbox.emit(CONTACT.format("a"), {"id": "a"})
        await line.hear()

    talk(story, CONTACT.format("a"))
    closings = partial(sandbox.effects, kind="socket.closed")
    wait_until(closings, SECONDS, "the socket is closed")
    (entry,) = sandbox.journal(route="/channels/{channelId}")
    assert (entry["status"], entry["client"]) == (101, "platform-client")
    opened, closed = sandbox.effects(request_seq=entry["seq"])
    assert (opened["kind"], closed["kind"]) == ("socket.opened", "socket.closed")
    assert opened["subject"] == closed["subject"] == sandbox.channels()[0]["id"]
    assert closed["detail"] == {"reason": "left", "sent": 1}


def test_a_reset_cuts_every_socket(sandbox: SandboxHandle, talk: Talk) -> None:
    async def story(line: Line) -> None:
        sandbox.reset()
        assert await line.ends() is None
        assert (sandbox.channels(), sandbox.effects()) == ([], [])

    talk(story)


def test_a_handshake_that_is_cut_leaves_no_socket(
    sandbox: SandboxHandle, channel: Callable[..., tuple[str, str]]
) -> None:
    _, uri = channel()
    # The client tries once more by itself.
    sandbox.fault(kind="reset_after", route="/channels/{channelId}", times=2)

    async def connect() -> None:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.ws_connect(uri)

    asyncio.run(connect())
    assert not sandbox.channels()[0]["connected"]
