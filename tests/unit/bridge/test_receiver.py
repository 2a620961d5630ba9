"""The receiver as its senders meet it, good ones and others, over real sockets."""

from __future__ import annotations

import asyncio
import hmac
import io
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from tasks.errors import SettingsError
from tests.support.arriving import (
    SECRET,
    SETTINGS,
    SOURCE,
    Reached,
    Shelf,
    enveloped,
    intake,
    left,
    reached,
    until,
)
from tests.support.tls import authority
from tests.unit.bridge.test_metrics import samples
from workers.bridge.reading.events import MAX_EVENT_BYTES
from workers.bridge.receiving import http_server
from workers.bridge.receiving.http_server import Address, address, encryption
from workers.bridge.receiving.receiver import MOST_EVENTS, SECRET_HEADER, Receiver
from workers.bridge.receiving.room import Room
from workers.bridge.settings import BridgeSettings
from workers.bridge.watching.health import Health, TenantHealth
from workers.bridge.watching.metrics import BridgeMetrics
from workers.embedded.loopback import HOST
from workers.settings import Settings

STRANGER = {"X-Forwarded-For": "93.184.216.34"}


async def ready() -> Health:
    return Health(broker=True)


def receiver(
    shelf: Shelf | None = None,
    *,
    metrics: BridgeMetrics | None = None,
    tenants: Mapping[str, BridgeSettings] | None = None,
    look: Callable[[], Awaitable[Health]] = ready,
    **options: Any,
) -> Receiver:
    metrics = metrics or BridgeMetrics()
    return Receiver(
        tenants=tenants or {"acme": SETTINGS, "other": BridgeSettings(queues=("q-1",))},
        intake=intake(shelf or Shelf(), metrics),
        metrics=metrics,
        look=look,
        **options,
    )


def run(receiving: Receiver, story: Callable[[Reached], Awaitable[None]], **options: Any) -> None:
    """Tell a story while the receiver listens."""

    async def tell() -> None:
        async with reached(receiving, **options) as at:
            await story(at)

    asyncio.run(tell())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server waits for nobody."""
    options = {"keepalive_timeout": 0.05, "lingering_time": 0.05}
    monkeypatch.setattr(http_server, "_OPTIONS", {**http_server._OPTIONS, **options})


@pytest.mark.parametrize("event", [left("c-1"), enveloped(left("c-1"))], ids=["bare", "enveloped"])
@pytest.mark.parametrize(
    "headers",
    [
        {SECRET_HEADER: SECRET},
        {SECRET_HEADER.lower(): SECRET},
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": f"bearer {SECRET}"},
    ],
    ids=str,
)
def test_an_event_with_the_secret_is_taken(event: dict[str, Any], headers: dict[str, str]) -> None:
    shelf = Shelf()

    async def story(at: Reached) -> None:
        answer = await at.post("acme", event, **headers)
        assert (answer.status, answer.json()) == (
            200,
            {"taken": 1, "enqueued": 1, "duplicates": 0},
        )

    run(receiver(shelf), story)
    assert shelf.subjects == {"c-1": 1}


@pytest.mark.parametrize("tenant", ["acme", "nobody", "other", "acme%2Fother", "%00"])
@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "x"},
        {SECRET_HEADER: f"{SECRET}x"},
        {SECRET_HEADER: SECRET[:-1]},
        {SECRET_HEADER: "é\udc80"},
        {"Authorization": SECRET},
        {"Authorization": f"Basic {SECRET}"},
        {"Authorization": "Bearer"},
    ],
    ids=ascii,
)
def test_a_wrong_secret_and_an_unknown_tenant_are_answered_alike(
    tenant: str, headers: dict[str, str]
) -> None:
    shelf, metrics = Shelf(), BridgeMetrics()

    async def story(at: Reached) -> None:
        answer = await at.post(tenant, left("c-1"), **headers)
        assert (answer.status, answer.json()) == (401, {"error": "unauthorized"})
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    run(receiver(shelf, metrics=metrics), story)
    assert not shelf.put_on
    assert metrics.snapshot("acme")["counts"] == {}


@pytest.mark.parametrize("tenant", ["acme", "nobody", "other"])
def test_every_secret_is_compared_once_in_constant_time(
    tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []
    genuine = hmac.compare_digest

    def compare(one: bytes, another: bytes) -> bool:
        compared.append((len(one), len(another)))
        return genuine(one, another)

    monkeypatch.setattr(hmac, "compare_digest", compare)

    async def story(at: Reached) -> None:
        for shown in ("x", "x" * 2_000, SECRET):
            await at.post(tenant, left(), **{SECRET_HEADER: shown})

    run(receiver(), story)
    # Digests: how long the two secrets are makes no difference.
    assert compared == [(32, 32)] * 3


def test_secrets_are_in_no_repr_and_no_log() -> None:
    receiving = receiver()

    async def story(at: Reached) -> None:
        await at.post("acme", left())
        await at.post("acme", b"no JSON")
        await at.post("acme", left(), **{SECRET_HEADER: "some wrong secret"})

    with capture_logs() as logged:
        run(receiving, story)
    assert {line["event"] for line in logged} == {
        "bridge.event_unreadable",
        "bridge.request_refused",
    }
    for text in (str(logged), repr(receiving), repr(vars(receiving)), repr(SETTINGS)):
        assert SECRET not in text
        assert "some wrong secret" not in text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"no JSON", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"42", "wrong type"),
        (b"{}", "no topic"),
        (b"[", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"[1 2]", "not JSON"),
        (b"[] []", "not JSON"),
        (b"[\xff]", "not JSON"),
        (b"[" * 500_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_event_is_refused_for_good_and_counted(body: bytes, reason: str) -> None:
    metrics = BridgeMetrics()

    async def story(at: Reached) -> None:
        answer = await at.post("acme", body)
        assert answer.status == 400
        assert answer.json()["refused"] == [{"index": 0, "reason": reason}]

    run(receiver(metrics=metrics), story)
    assert samples(metrics)["unreadable_total", reason, "eventbridge", "acme"] == 1


def test_of_an_array_the_good_ones_are_taken_and_the_others_named() -> None:
    shelf = Shelf()

    async def story(at: Reached) -> None:
        events = [left("c-1"), {"no": "event"}, enveloped(left("c-2")), 7, left("c-1")]
        answer = await at.post("acme", events)
        assert answer.status == 400
        assert answer.json() == {
            "taken": 3,
            "enqueued": 2,
            "duplicates": 1,
            "error": "2 refused",
            "refused": [
                {"index": 1, "reason": "no topic"},
                {"index": 3, "reason": "wrong type"},
            ],
        }
        answer = await at.post("acme", [])
        assert (answer.status, answer.json()["taken"]) == (200, 0)
        answer = await at.post("acme", b" \n[ ] \r\n")
        assert answer.status == 200
        answer = await at.post("acme", [left(), left()])
        assert (answer.status, answer.json()["enqueued"]) == (200, 2)

    run(receiver(shelf), story)
    assert shelf.subjects["c-1"] == shelf.subjects["c-2"] == 1


def test_an_array_of_too_many_is_refused_whole() -> None:
    shelf = Shelf()

    async def story(at: Reached) -> None:
        answer = await at.post("acme", [left(mediaType="VOICE")] * (MOST_EVENTS + 1))
        assert answer.status == 413

    run(receiver(shelf), story)


def test_an_event_of_a_foreign_source_is_refused() -> None:
    shelf = Shelf()
    settings = SETTINGS.model_copy(update={"sources": (f"{SOURCE}/",)})

    async def story(at: Reached) -> None:
        answer = await at.post("acme", enveloped(left("c-1"), f"{SOURCE}/bus"))
        assert answer.status == 200
        answer = await at.post("acme", enveloped(left("c-2"), f"{SOURCE}9/bus"))
        assert answer.status == 400
        assert answer.json()["refused"] == [{"index": 0, "reason": "foreign source"}]

    run(receiver(shelf, tenants={"acme": settings}), story)
    assert shelf.subjects == {"c-1": 1}


async def chunks(count: int) -> AsyncIterator[bytes]:
    """A body of so many bytes without a length."""
    for start in range(0, count, 50_000):
        yield b" " * min(50_000, count - start)


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
def test_a_body_may_have_as_many_bytes_as_an_event_and_not_one_more(chunked: bool) -> None:
    metrics = BridgeMetrics()

    def body(count: int) -> Any:
        return chunks(count) if chunked else io.BytesIO(b" " * count)

    async def story(at: Reached) -> None:
        answer = await at.post("acme", body(MAX_EVENT_BYTES))
        assert answer.status == 400
        answer = await at.post("acme", body(MAX_EVENT_BYTES + 1))
        assert answer.status == 413

    run(receiver(metrics=metrics), story)
    assert samples(metrics)["unreadable_total", "too large", "eventbridge", "acme"] == 1


def test_what_is_too_long_by_its_own_word_is_refused_unread(impatient: None) -> None:
    async def story(at: Reached) -> None:
        sent = head("acme", f"Content-Length: {MAX_EVENT_BYTES + 1}")
        async with at.dialed(sent) as (reader, _):
            assert b" 413 " in await reader.readline()

    run(receiver(), story)


def head(tenant: str, *headers: str) -> bytes:
    lines = (f"POST /events/{tenant} HTTP/1.1", "Host: here", f"{SECRET_HEADER}: {SECRET}")
    return "\r\n".join((*lines, *headers, "", "")).encode()


def test_a_zipped_body_is_never_made_larger() -> None:
    import gzip

    async def story(at: Reached) -> None:
        zipped = gzip.compress(b" " * 10_000_000)
        headers = {SECRET_HEADER: SECRET, "Content-Encoding": "gzip"}
        answer = await at.post("acme", zipped, **headers)
        assert (answer.status, answer.json()["refused"][0]["reason"]) == (400, "not JSON")

    run(receiver(), story)


def test_while_the_broker_is_away_senders_are_asked_to_come_again() -> None:
    shelf, metrics = Shelf(away=True), BridgeMetrics()

    async def story(at: Reached) -> None:
        answer = await at.post("acme", left("c-1"))
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        shelf.away = False
        answer = await at.post("acme", left("c-1"))
        assert answer.status == 200

    run(receiver(shelf, metrics=metrics, away_seconds=0), story)
    assert shelf.subjects == {"c-1": 1}
    assert metrics.snapshot("acme")["counts"] == {"received": 2, "enqueued": 1}


def test_a_broker_that_was_away_a_moment_ago_is_not_asked_for_every_request() -> None:
    shelf, metrics = Shelf(away=True), BridgeMetrics()

    async def story(at: Reached) -> None:
        for _ in range(5):
            answer = await at.post("acme", left("c-1"))
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")

    run(receiver(shelf, metrics=metrics, away_seconds=60), story)
    assert metrics.snapshot("acme")["counts"] == {"received": 1}


def test_beyond_what_it_has_room_for_it_takes_nothing() -> None:
    shelf = Shelf(gate=asyncio.Event())
    room = Room(requests=2, size=MAX_EVENT_BYTES)

    async def story(at: Reached) -> None:
        assert shelf.gate is not None
        held = [asyncio.create_task(at.post("acme", left())) for _ in range(2)]
        await until(lambda: not room.requests)
        answer = await at.post("acme", left())
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        shelf.gate.set()
        assert [(await each).status for each in held] == [200, 200]
        assert (await at.post("acme", left())).status == 200

    run(receiver(shelf, room=room), story)
    assert room == Room(requests=2, size=MAX_EVENT_BYTES)


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
def test_bodies_together_have_a_limit_too(chunked: bool) -> None:
    room = Room(requests=9, size=1_000)

    async def story(at: Reached) -> None:
        assert (await at.post("acme", left())).status == 200
        answer = await at.post("acme", chunks(1_001) if chunked else b" " * 1_001)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert (await at.post("acme", left())).status == 200

    run(receiver(room=room), story)
    assert room == Room(requests=9, size=1_000)


def test_a_body_that_does_not_come_is_not_waited_for(impatient: None) -> None:
    room = Room(requests=1, size=1_000)

    async def story(at: Reached) -> None:
        async with at.dialed(head("acme", "Content-Length: 100") + b"{") as (reader, _):
            assert b" 408 " in await reader.readline()

    run(receiver(room=room, body_seconds=0.05), story)
    assert room == Room(requests=1, size=1_000)


def test_a_head_that_does_not_come_is_not_waited_for(impatient: None) -> None:
    async def story(at: Reached) -> None:
        for sent in (b"", b"POST /events/acme HTTP/1.1\r\nHost: here\r\n"):
            async with at.dialed(sent) as (reader, _):
                assert await reader.read() == b""

    run(receiver(), story)


@pytest.mark.parametrize(
    "sent",
    [
        b"no HTTP at all\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 600,
        b"GET /" + b"x" * 5_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: here\r\nX: " + b"x" * 5_000 + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: here\r\n" + b"X: y\r\n" * 100 + b"\r\n",
        b"GET /health HTTP/1.1\r\nHost: here\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["no HTTP", "TLS", "a long path", "a long header", "many headers", "a bad length"],
)
def test_malformed_requests_are_answered_and_logged_without_a_word(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = BridgeMetrics()

    async def story(at: Reached) -> None:
        async with at.dialed(sent) as (reader, _):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.")
        assert answer.split()[1] == b"400"
        assert b"Server: genesys-workers\r\n" in answer
        assert b"aiohttp" not in answer
        assert answer.endswith(b"\r\n\r\n")

    with capture_logs() as logged:
        run(receiver(metrics=metrics), story)
    assert not logged
    assert "Error handling request" not in caplog.text


def test_a_malformed_body_is_not_waited_for_and_logged_without_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    room = Room(requests=1, size=1_000)

    async def story(at: Reached) -> None:
        async with at.dialed(head("acme", "Transfer-Encoding: chunked")) as (reader, writer):
            await until(lambda: not room.requests)
            writer.write(b"no length\r\n")
            assert b" 408 " in await reader.readline()

    run(receiver(room=room, body_seconds=0.1), story)
    assert not [line for line in caplog.records if line.levelname == "ERROR"]
    assert room == Room(requests=1, size=1_000)


def test_a_sender_that_goes_in_the_middle_leaves_nothing_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    room = Room(requests=1, size=1_000)

    async def story(at: Reached) -> None:
        async with at.dialed(head("acme", "Content-Length: 100") + b"{"):
            await until(lambda: not room.requests)
        await until(lambda: room.requests)
        assert (await at.post("acme", left())).status == 200

    with capture_logs() as logged:
        run(receiver(room=room), story)
    assert not logged
    assert not [line for line in caplog.records if line.levelname == "ERROR"]
    assert room == Room(requests=1, size=1_000)


def test_what_follows_a_refusal_is_read_past_for_a_while(
    caplog: pytest.LogCaptureFixture, impatient: None
) -> None:
    async def story(at: Reached) -> None:
        for more in (b"no length\r\n", b""):
            sent = head("acme", "Transfer-Encoding: chunked").replace(SECRET.encode(), b"wrong")
            async with at.dialed(sent) as (reader, writer):
                assert b" 401 " in await reader.readline()
                writer.write(more)
                await reader.read()

    run(receiver(), story)
    assert not [line for line in caplog.records if line.levelname == "ERROR"]


def test_connections_beyond_the_limit_are_closed_at_once() -> None:
    async def story(at: Reached) -> None:
        async with AsyncExitStack() as stack:
            for _ in range(3):
                sent = b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n"
                reader, _ = await stack.enter_async_context(at.dialed(sent))
                assert b" 200 " in await reader.readline()
            async with at.dialed() as (reader, _):
                assert await reader.read() == b""
        while not await answers(at):
            await asyncio.sleep(0.01)

    async def answers(at: Reached) -> bool:
        try:
            return (await at.ask("GET", "/health/live")).status == 200
        except aiohttp.ClientConnectionError:
            return False

    run(receiver(), story, connections=3)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/events/acme", 405),
        ("PUT", "/events/acme", 405),
        ("POST", "/events", 404),
        ("POST", "/events/acme/more", 404),
        ("POST", "/health", 405),
    ],
)
def test_there_is_nothing_else_to_find(method: str, path: str, status: int) -> None:
    metrics = BridgeMetrics()

    async def story(at: Reached) -> None:
        answer = await at.ask(method, path)
        assert (answer.status, answer.headers["Server"]) == (status, "genesys-workers")

    run(receiver(metrics=metrics), story)
    assert samples(metrics)["answers_total", str(status)] == 1


def test_a_fault_of_ours_is_told_by_type_and_place_and_ends_nothing() -> None:
    async def faulty() -> Health:
        raise RuntimeError("jane@example.com")

    async def story(at: Reached) -> None:
        answer = await at.ask("GET", "/health")
        assert (answer.status, answer.json()) == (500, {"error": "a fault of ours"})
        assert (await at.post("acme", left())).status == 200

    with capture_logs() as logged:
        run(receiver(look=faulty), story)
    (line,) = logged
    assert line["event"] == "bridge.fault"
    assert line["error"].startswith("RuntimeError in test_a_fault_of_ours")
    assert "jane" not in str(line)


LEADING = TenantHealth(tenant="acme", listens=True, leads=True, connected=True, open_gaps=1)
STANDBY = TenantHealth(tenant="acme", listens=True)
DEAF = TenantHealth(tenant="acme", listens=True, leads=True)
RECEIVING = TenantHealth(tenant="acme")


@pytest.mark.parametrize(
    ("health", "status", "role"),
    [
        (Health(broker=True, tenants=[LEADING]), 200, "leading"),
        (Health(broker=True, tenants=[STANDBY]), 200, "standby"),
        (Health(broker=True, tenants=[RECEIVING]), 200, "receiving"),
        (Health(broker=True, tenants=[DEAF]), 503, "leading"),
        (Health(broker=False, tenants=[LEADING]), 503, "leading"),
    ],
)
def test_health_tells_whether_the_bridge_is_ready(health: Health, status: int, role: str) -> None:
    async def look() -> Health:
        return health

    async def story(at: Reached) -> None:
        answer = await at.ask("GET", "/health")
        told = answer.json()
        assert (answer.status, told["live"], told["ready"]) == (status, True, status == 200)
        assert told["tenants"]["acme"]["role"] == role
        assert told["broker"] == ("reachable" if health.broker else "away")
        assert (await at.ask("GET", "/health/live")).status == 200

    run(receiver(look=look), story)


def test_many_who_ask_for_the_health_are_told_of_one_look() -> None:
    looks = 0

    async def look() -> Health:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return Health(broker=True)

    async def story(at: Reached) -> None:
        answers = await asyncio.gather(*(at.ask("GET", "/health") for _ in range(20)))
        assert {answer.status for answer in answers} == {200}

    run(receiver(look=look), story)
    assert looks == 1


def test_a_look_that_takes_too_long_finds_nothing_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.bridge.receiving.receiver.LOOK_SECONDS", 0.02)

    async def look() -> Health:
        await asyncio.Event().wait()
        raise AssertionError

    async def story(at: Reached) -> None:
        assert (await at.ask("GET", "/health")).status == 503

    run(receiver(look=look), story)


def test_metrics_and_details_are_for_neighbours_and_those_who_know_a_secret() -> None:
    async def look() -> Health:
        return Health(broker=True, tenants=[LEADING])

    async def story(at: Reached) -> None:
        assert b"genesys_bridge_events_total" in (await at.ask("GET", "/metrics")).body

        answer = await at.ask("GET", "/metrics", headers=STRANGER)
        assert (answer.status, answer.json()) == (401, {"error": "unauthorized"})
        answer = await at.ask("GET", "/health", headers=STRANGER)
        assert (answer.status, answer.json()) == (200, {"live": True, "ready": True})

        known = {**STRANGER, "Authorization": f"Bearer {SECRET}"}
        answer = await at.ask("GET", "/metrics", headers=known)
        assert (answer.status, answer.headers["Content-Type"]) == (
            200,
            "text/plain; version=0.0.4; charset=utf-8",
        )
        answer = await at.ask("GET", "/health", headers=known)
        assert answer.json()["tenants"]["acme"]["open_gaps"] == 1

    run(receiver(look=look), story)


def test_answers_are_counted_by_status_and_events_by_tenant() -> None:
    metrics = BridgeMetrics()

    async def story(at: Reached) -> None:
        await at.post("acme", left("c-1"))
        await at.post("acme", left("c-1"))
        await at.post("acme", b"no JSON")
        text = (await at.ask("GET", "/metrics")).body.decode()
        assert 'genesys_bridge_answers_total{status="200"} 2.0' in text
        assert 'genesys_bridge_answers_total{status="400"} 1.0' in text
        assert 'genesys_bridge_events_total{source="eventbridge",tenant="acme"} 2.0' in text

    run(receiver(metrics=metrics), story)


def test_what_is_being_answered_when_the_end_comes_is_finished() -> None:
    shelf = Shelf(gate=asyncio.Event())
    room = Room(requests=1, size=MAX_EVENT_BYTES)

    async def story() -> None:
        assert shelf.gate is not None
        app = receiver(shelf, room=room).application()
        async with aiohttp.ClientSession() as session:
            async with http_server.listening(app, Address(host=HOST, port=0)) as port:
                at = Reached(session=session, port=port)
                path = f"http://{HOST}:{port}/events/acme"
                asking = asyncio.create_task(
                    at.ask("POST", path, json=left(), headers={SECRET_HEADER: SECRET})
                )
                await until(lambda: not room.requests)
                asyncio.get_running_loop().call_later(0.05, shelf.gate.set)
            assert (await asking).status == 200

    asyncio.run(story())
    assert len(shelf.put_on) == 1


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


def test_it_speaks_tls_where_both_files_are_given(tmp_path: Path) -> None:
    made = authority(tmp_path)
    context = encryption(settings(receiver_tls_cert=made.server, receiver_tls_key=made.server))
    trusting = ssl.create_default_context(cafile=made.ca)
    shelf = Shelf()

    async def story(at: Reached) -> None:
        url = f"https://{HOST}:{at.port}/events/acme"
        headers = {SECRET_HEADER: SECRET}
        answer = await at.ask("POST", url, json=left("c-1"), headers=headers, ssl=trusting)
        assert answer.status == 200
        old = ssl.create_default_context(cafile=made.ca)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert (await at.ask("GET", f"https://{HOST}:{at.port}/health/live", ssl=old)).status == 200
        with pytest.raises(aiohttp.ClientError):
            await at.post("acme", left("c-2"))

    run(receiver(shelf), story, context=context)
    assert shelf.subjects == {"c-1": 1}


def test_without_files_it_speaks_no_tls() -> None:
    assert encryption(settings()) is None


@pytest.mark.parametrize("given", ["cert", "key"])
def test_one_file_alone_is_refused(given: str, tmp_path: Path) -> None:
    missing = {"cert": "RECEIVER_TLS_KEY", "key": "RECEIVER_TLS_CERT"}[given]
    with pytest.raises(SettingsError, match=f"^{missing}: is required"):
        encryption(settings(**{f"receiver_tls_{given}": tmp_path / "server.pem"}))


@pytest.mark.parametrize("held", [None, b"", b"no PEM"], ids=["absent", "empty", "no PEM"])
def test_files_that_are_no_certificate_are_refused(held: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "server.pem"
    if held is not None:
        path.write_bytes(held)
    with pytest.raises(SettingsError, match="RECEIVER_TLS_CERT, RECEIVER_TLS_KEY: must be PEM"):
        encryption(settings(receiver_tls_cert=path, receiver_tls_key=path))


def test_a_key_behind_a_password_is_refused_and_not_asked_for(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    made = authority(tmp_path)
    key = serialization.load_pem_private_key(made.server.read_bytes(), password=None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"a password"),
        )
    )
    with pytest.raises(SettingsError, match="no password"):
        encryption(settings(receiver_tls_cert=made.server, receiver_tls_key=locked))


@pytest.mark.parametrize(
    ("text", "host", "port", "is_private"),
    [
        ("127.0.0.1:8090", "127.0.0.1", 8090, True),
        ("[::1]:80", "::1", 80, True),
        ("localhost:80", "localhost", 80, True),
        ("0.0.0.0:80", "0.0.0.0", 80, False),  # noqa: S104  # read, not listened to
        (":80", None, 80, False),
        ("bridge.example:443", "bridge.example", 443, False),
    ],
)
def test_an_address_is_a_host_and_a_port(
    text: str, host: str | None, port: int, is_private: bool
) -> None:
    found = address(settings(receiver_address=text))
    assert (found.host, found.port, found.is_private) == (host, port, is_private)


def test_an_impossible_port_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^RECEIVER_ADDRESS: "):
        address(settings(receiver_address="localhost:70000"))


def test_an_address_that_is_taken_stops_the_start() -> None:
    async def story(at: Reached) -> None:
        taken = Address(host=HOST, port=at.port)
        with pytest.raises(SettingsError, match=r"^RECEIVER_ADDRESS: "):
            async with http_server.listening(receiver().application(), taken):
                raise AssertionError

    run(receiver(), story)


def test_a_tenant_without_a_secret_cannot_be_sent_to() -> None:
    shelf = Shelf()
    tenants = {"acme": BridgeSettings(queues=("q-1",)), "other": SETTINGS}

    async def story(at: Reached) -> None:
        for shown in ("", "None", SECRET):
            answer = await at.post("acme", left(), **{SECRET_HEADER: shown})
            assert answer.status == 401

    run(receiver(shelf, tenants=tenants), story)
    assert not shelf.put_on


def test_each_tenant_has_a_secret_of_its_own() -> None:
    shelf = Shelf()
    another = BridgeSettings(secret=SecretStr("another secret nobody guesses"))

    async def story(at: Reached) -> None:
        assert (await at.post("other", left())).status == 401
        own = {SECRET_HEADER: "another secret nobody guesses"}
        assert (await at.post("other", left(), **own)).status == 200

    run(receiver(shelf, tenants={"acme": SETTINGS, "other": another}), story)
    assert [each.message.tenant for each in shelf.put_on] == ["other"]


def test_numbers_and_texts_of_an_array_arrive_as_they_were_written() -> None:
    shelf = Shelf()
    big, escaped = 2**80, r"\u00e9\u0000"
    raw = json.dumps(left("c-1", number=big)).replace('"MESSAGE"', f'"MESSAGE", "x": "{escaped}"')

    async def story(at: Reached) -> None:
        assert (await at.post("acme", f"[{raw} , {raw}]".encode())).status == 200

    run(receiver(shelf), story)
    assert shelf.subjects == {"c-1": 1}
