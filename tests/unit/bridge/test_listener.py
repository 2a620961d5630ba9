"""One WebSocket: what it carries in batches, how it ends, and whom it is opened to."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from tests.support.tls import authority
from workers.bridge.listening import dialing, listener
from workers.bridge.listening.listener import Batch, Connection, NotConnected

SECONDS = 30.0
HEARTBEAT = {"topicName": "channel.metadata", "eventBody": {"message": "WebSocket Heartbeat"}}
PONG = {"topicName": "channel.metadata", "eventBody": {"message": "pong"}}
SECRET = "streaming-0-whoever-knows-it-may-listen"

Socket = web.WebSocketResponse
Serve = Callable[[Socket], Awaitable[None]]
Hear = Callable[[Connection], Awaitable[None]]


class Clock:
    """Tells the moments it is given, then the last one for ever."""

    def __init__(self, *moments: float) -> None:
        self.moments = list(moments)

    def __call__(self) -> float:
        return self.moments.pop(0) if len(self.moments) > 1 else self.moments[0]


def talk(serve: Serve, hear: Hear, **options: Any) -> None:
    """Let a service do `serve` with a socket, and `hear` it."""

    async def run() -> None:
        async with Service(serve) as uri:
            connection = await listener.connect(uri, **options)
            try:
                async with asyncio.timeout(SECONDS):
                    await hear(connection)
            finally:
                await connection.close()

    asyncio.run(run())


class Service:
    """A WebSocket server on a free port; its address is what a channel's is."""

    def __init__(self, serve: Serve, tls: ssl.SSLContext | None = None) -> None:
        self._serve = serve
        self._tls = tls

    async def __aenter__(self) -> str:
        app = web.Application()
        app.router.add_get(f"/{SECRET}", self._converse)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        port = self._runner.addresses[0][1]
        return f"{'wss' if self._tls else 'ws'}://127.0.0.1:{port}/{SECRET}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        line = web.WebSocketResponse()
        await line.prepare(request)
        with suppress(ConnectionError):
            await self._serve(line)
        return line


async def everything(connection: Connection) -> list[Batch]:
    """Take batches until it has ended."""
    batches = []
    while batch := await connection.take():
        batches.append(batch)
    return batches


def frames(batches: list[Batch]) -> list[str | bytes]:
    return [frame for batch in batches for frame in batch.frames]


async def cut(line: Socket) -> None:
    """End the connection without a word, once what was sent has left."""
    assert line._req is not None
    assert line._req.transport is not None
    line._req.transport.close()


async def hold_open(line: Socket) -> None:
    """Read until the other side leaves."""
    async for _ in line:
        pass


def test_frames_come_in_their_order_and_those_that_wait_come_together() -> None:
    sent = [json.dumps({"topicName": "v2.a", "eventBody": {"n": n}}) for n in range(500)]

    async def serve(line: Socket) -> None:
        for each in sent:
            await line.send_str(each)
        await line.close()

    async def hear(connection: Connection) -> None:
        await asyncio.wait([connection._reading])
        batches = await everything(connection)
        assert frames(batches) == sent
        assert len(batches) == 1
        assert connection.ending == "closed"

    talk(serve, hear)


def test_heartbeats_are_no_events_and_move_the_moment() -> None:
    async def serve(line: Socket) -> None:
        await line.send_str("{}")
        await line.send_json(HEARTBEAT)
        await hold_open(line)

    async def hear(connection: Connection) -> None:
        heard: list[Batch] = []
        while not heard or heard[-1].at < 12:
            batch = await connection.take()
            assert batch is not None
            heard.append(batch)
        assert frames(heard) == ["{}"]
        assert connection.ending is None

    talk(serve, hear, clock=Clock(10, 11, 12))


@pytest.mark.parametrize(
    ("topic", "notice"),
    [
        ("v2.system.socket_closing", "closing"),
        ("v2.system.token_revoked.c", "revoked"),
        ("v2.system.no_longer_subscribed.c", "revoked"),
    ],
)
def test_what_the_service_says_of_the_channel_is_told(topic: str, notice: str) -> None:
    async def serve(line: Socket) -> None:
        await line.send_json({"topicName": topic, "eventBody": {"message": "a word"}})
        await line.close()

    async def hear(connection: Connection) -> None:
        batches = await everything(connection)
        assert [each for batch in batches for each in batch.notices] == [notice]
        assert frames(batches) == []

    talk(serve, hear)


@pytest.mark.parametrize(
    "frame",
    [
        '{"topicName": "v2.system.something_new", "eventBody": {}}',
        '{"topicName": "v2.system.socket_closing_soon", "eventBody": {}}',
        '{"topicName": "channel.metadata", "eventBody": "odd"}',
        '{"topicName": "channel.metadata"}',
    ],
)
def test_what_else_the_service_says_is_passed_over(frame: str) -> None:
    async def serve(line: Socket) -> None:
        await line.send_str(frame)
        await line.close()

    async def hear(connection: Connection) -> None:
        (*_, last) = batches = await everything(connection)
        assert (frames(batches), last.notices) == ([], ())

    talk(serve, hear)


@pytest.mark.parametrize(
    "frame",
    [
        '{"topicName": "v2.a", "eventBody": {"text": "v2.system.socket_closing"}}',
        '["channel.metadata"]',
        '{"topicName": ["channel.metadata"]}',
        '{"channel.metadata',
        b'{"topicName": "channel.metadata"}',
        "[" * 60_000 + "v2.system.",
        '{"topicName": "channel.metadata"}' + " " * 70_000,
    ],
    ids=["quoted", "list", "odd", "cut", "bytes", "deep", "long"],
)
def test_what_only_looks_like_the_service_is_an_event_to_be_judged(frame: str | bytes) -> None:
    async def serve(line: Socket) -> None:
        await (line.send_bytes(frame) if isinstance(frame, bytes) else line.send_str(frame))
        await line.close()

    async def hear(connection: Connection) -> None:
        assert frames(await everything(connection)) == [frame]

    talk(serve, hear)


def test_a_connection_that_is_cut_ends_as_dropped_with_all_that_it_has_carried() -> None:
    async def serve(line: Socket) -> None:
        await line.send_str("{}")
        await cut(line)

    async def hear(connection: Connection) -> None:
        assert frames(await everything(connection)) == ["{}"]
        assert connection.ending == "dropped"

    talk(serve, hear)


def test_a_silent_connection_is_asked_for_a_sign_and_ends_without_one() -> None:
    asked: list[str] = []

    async def serve(line: Socket) -> None:
        asked.append((await line.receive()).data)
        await hold_open(line)

    async def hear(connection: Connection) -> None:
        assert frames(await everything(connection)) == []
        assert connection.ending == "silent"

    talk(serve, hear, silence=0.1)
    assert asked == [listener.PING]


def test_a_pong_is_a_sign() -> None:
    async def serve(line: Socket) -> None:
        async for message in line:
            assert json.loads(message.data) == {"message": "ping"}
            await line.send_json(PONG)

    async def hear(connection: Connection) -> None:
        for _ in range(3):
            assert await connection.take() is not None
        assert connection.ending is None

    talk(serve, hear, silence=0.1)


def test_what_is_too_large_for_an_event_is_carried_all_the_same() -> None:
    async def serve(line: Socket) -> None:
        await line.send_str("x" * 2 * 1024 * 1024)
        await line.send_str("{}")
        await line.close()

    async def hear(connection: Connection) -> None:
        heard = frames(await everything(connection))
        assert list(map(len, heard)) == [2 * 1024 * 1024, 2]
        assert connection.ending == "closed"

    talk(serve, hear)


def test_what_is_too_long_for_a_frame_ends_the_connection_and_says_so() -> None:
    async def serve(line: Socket) -> None:
        await line.send_str("{}")
        await line.send_str("x" * dialing.LONGEST_FRAME)
        await hold_open(line)

    async def hear(connection: Connection) -> None:
        assert frames(await everything(connection)) == ["{}"]
        assert connection.ending == "too large"

    talk(serve, hear)


def test_nothing_more_is_read_while_too_much_waits_and_nothing_is_lost() -> None:
    sent, size = 3_000, 10_000
    written: list[int] = []

    async def serve(line: Socket) -> None:
        answering = asyncio.create_task(answer(line))
        for number in range(sent):
            await line.send_str(f"{number:0{size}}")
            written.append(number)
        await answering

    async def answer(line: Socket) -> None:
        async for _ in line:
            await line.send_json(PONG)

    async def hear(connection: Connection) -> None:
        await still(lambda: len(written))
        assert len(connection._frames) == 20
        assert len(written) < sent
        heard: list[int] = []
        at = 0.0
        while len(heard) < sent or at == 1:
            batch = await connection.take()
            assert batch is not None
            assert len(batch.frames) <= 20
            heard += (int(frame[-5:]) for frame in batch.frames)
            at = batch.at
        assert heard == list(range(sent))

    # What was sent by a moment may come later than that, until a pong has come through it all.
    talk(serve, hear, most_frames=20, clock=Clock(*[1.0] * 21, 2.0))


def test_long_frames_wait_in_smaller_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MOST_CHARACTERS", 100_000)

    async def serve(line: Socket) -> None:
        for _ in range(500):
            await line.send_str("x" * 60_000)
        await line.close()

    async def hear(connection: Connection) -> None:
        await until(lambda: len(connection._frames) == 2)
        assert len(frames(await everything(connection))) == 500

    talk(serve, hear)


def test_what_was_carried_before_a_cut_is_read_though_nobody_was_ready() -> None:
    async def serve(line: Socket) -> None:
        for number in range(100):
            await line.send_str(str(number))
        await cut(line)

    async def hear(connection: Connection) -> None:
        await until(lambda: len(connection._frames) == 10)
        await asyncio.sleep(0.05)
        assert frames(await everything(connection)) == list(map(str, range(100)))

    talk(serve, hear, most_frames=10)


def test_the_moment_stands_still_while_the_service_is_held_back() -> None:
    """Until the answer to a ping that was sent later than all of it."""

    async def serve(line: Socket) -> None:
        for number in range(3):
            await line.send_str(str(number))
        assert json.loads((await line.receive()).data) == {"message": "ping"}
        await line.send_str("late")
        await asyncio.sleep(0.05)
        await line.send_json(PONG)
        await hold_open(line)

    async def hear(connection: Connection) -> None:
        await until(lambda: len(connection._frames) == 2)
        heard: list[tuple[tuple[str | bytes, ...], float]] = []
        while not heard or heard[-1][0]:
            batch = await connection.take()
            assert batch is not None
            heard.append((batch.frames, batch.at))
        assert [at for _, at in heard[:-1]] == [12.0] * (len(heard) - 1)
        assert heard[-1] == ((), 13.0)

    talk(serve, hear, most_frames=2, clock=Clock(10, 11, 12, 13))


def test_who_leaves_says_so() -> None:
    codes: list[int | None] = []

    async def serve(line: Socket) -> None:
        await hold_open(line)
        codes.append(line.close_code)

    async def hear(connection: Connection) -> None:
        await connection.close()
        assert connection.ending == "left"
        assert await connection.take() is None

    talk(serve, hear)
    assert codes == [1000]


def test_leaving_a_service_that_does_not_answer_takes_no_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialing, "CLOSE_SECONDS", 0.05)
    released = asyncio.Event()

    async def serve(_: Socket) -> None:
        await released.wait()

    async def hear(connection: Connection) -> None:
        async with asyncio.timeout(1):
            await connection.close()
        released.set()

    talk(serve, hear)


@pytest.mark.parametrize(
    "uri",
    [
        "ws://streaming.example/c",
        "http://127.0.0.1/c",
        "wss:///c",
        "wss://user:word@streaming.example/c",
        "ws://10.0.0.1/c",
        "wss://[::1/c",
        "",
    ],
)
def test_an_address_that_is_not_encrypted_is_not_connected_to(uri: str) -> None:
    with pytest.raises(NotConnected, match="address"):
        asyncio.run(listener.connect(uri))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_this_machine_is_connected_to_without_encryption(host: str) -> None:
    assert dialing.checked(f"ws://{host}:8080/c") == ""


def test_calls_and_channels_go_by_the_same_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    assert dialing.proxy_for("streaming.example") == "http://proxy.example:3128"
    assert dialing.proxy_for("streaming.inside.example") is None
    assert dialing.proxy_for("") is None


def refuses(answer: Callable[[], web.StreamResponse]) -> NotConnected:
    """Return what is raised where a handshake is answered like that."""

    async def refuse(_: web.BaseRequest) -> web.StreamResponse:
        return answer()

    async def run() -> NotConnected:
        runner = web.ServerRunner(web.Server(refuse))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        try:
            with pytest.raises(NotConnected) as raised:
                await listener.connect(f"ws://127.0.0.1:{port}/{SECRET}")
            return raised.value
        finally:
            await runner.cleanup()

    return asyncio.run(run())


def test_a_refused_handshake_tells_its_status_and_how_long_to_wait() -> None:
    error = refuses(lambda: web.Response(status=429, headers={"Retry-After": "7"}))
    assert (error.status, error.retry_after) == (429, 7.0)
    error = refuses(lambda: web.Response(status=404))
    assert (error.status, error.retry_after) == (404, None)
    assert SECRET not in repr(error)
    assert "127.0.0.1" not in str(error)


def test_no_redirect_is_followed() -> None:
    there = {"Location": "ws://127.0.0.1:1/elsewhere"}
    error = refuses(lambda: web.Response(status=302, headers=there))
    assert (error.reason, error.status) == ("redirected", 302)


def test_nobody_there_is_told_without_the_address() -> None:
    with pytest.raises(NotConnected) as raised, capture_logs() as logs:
        asyncio.run(listener.connect(f"ws://127.0.0.1:1/{SECRET}"))
    assert str(raised.value) == "no WebSocket: no connection"
    assert raised.value.__cause__ is None
    assert logs == []


def test_a_service_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "CONNECT_SECONDS", 0.1)

    with socket.create_server(("127.0.0.1", 0)) as mute:
        uri = f"ws://127.0.0.1:{mute.getsockname()[1]}/c"
        with pytest.raises(NotConnected, match="in time"):
            asyncio.run(listener.connect(uri))


def test_a_certificate_is_verified(tmp_path: Path) -> None:
    made = authority(tmp_path)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(made.server)
    trusting = ssl.create_default_context(cafile=str(made.ca))

    async def serve(line: Socket) -> None:
        await line.send_str("{}")
        await line.close()

    async def run() -> None:
        async with Service(serve, serving) as uri:
            with pytest.raises(NotConnected, match="certificate"):
                await listener.connect(uri)
            connection = await listener.connect(uri, tls=trusting)
            assert frames(await everything(connection)) == ["{}"]
            await connection.close()

    asyncio.run(run())


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.005)


async def still(count: Callable[[], int]) -> None:
    """Wait until a count has stood still for a while."""
    last = -1
    while count() != last:
        last = count()
        await asyncio.sleep(0.2)
