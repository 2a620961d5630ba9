"""What leaves through the HTTP seam, and what comes back, over real sockets."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tasks import errors
from tasks.apis import wire as wire_module
from tasks.apis.calls import Allowance, Call, Timeouts
from tasks.apis.dialects import PLATFORM
from tasks.apis.tokens import ClientCredentials
from tasks.apis.wire import CONNECT_TRIES, Wire
from tests.integration.outside import Behaviour, Outside, answer, reset, running, truncate
from tests.integration.seams import SECRET, Exchanges, OpenGate, TokensInMemory, http


@pytest.fixture
def outside() -> Iterator[Outside]:
    with running() as system:
        yield system


def read(**fields: Any) -> Call:
    return Call(
        **{
            "method": "GET",
            "route": "/api/v2/things/{thing_id}",
            "ids": {"thing_id": "thing-1"},
            "needs": "thing:read",
            **fields,
        }
    )


def write(body: object) -> Call:
    return read(method="PATCH", body=body, kind="write", effect=True)


class NoCredentials:
    """A grant that authenticates by its form alone."""

    client_id = "client"
    scope = ""
    as_json: ClassVar[bool] = False

    def form(self) -> dict[str, str]:
        return {"grant_type": "test"}

    def basic(self) -> None:
        return None


def test_a_call_carries_token_correlation_id_and_what_it_accepts(outside: Outside) -> None:
    http(outside.url).call(read(query={"conversationId": "a b&c"}, headers={"If-Match": "7"}))
    (request,) = outside.requests
    assert request.method == "GET"
    assert request.target == "/api/v2/things/thing-1?conversationId=a+b%26c"
    assert request.headers["authorization"] == "Bearer token-1"
    assert request.headers["x-correlation-id"] == "corr-1"
    assert request.headers["accept"] == "application/json"
    assert request.headers["if-match"] == "7"
    assert "content-type" not in request.headers


def test_a_platform_call_can_be_found_again_by_the_vendors_name_for_it(outside: Outside) -> None:
    http(outside.url, dialect=PLATFORM).call(read())
    (request,) = outside.requests
    assert request.headers["x-correlation-id"] == "corr-1"
    assert request.headers["inin-correlation-id"] == "corr-1"


@pytest.mark.parametrize(
    ("given", "logged"), [("3f2b-77", "3f2b-77"), ("Jane Doe", ""), (None, ""), ("x" * 65, "")]
)
def test_the_log_is_told_the_servers_own_id_of_an_exchange(
    outside: Outside, given: str | None, logged: str
) -> None:
    headers = {"ININ-Correlation-Id": given} if given else {}
    outside.behaviours = [answer(404, headers=headers)]
    log = Exchanges()
    with pytest.raises(errors.NotFound):
        http(outside.url, dialect=PLATFORM, log=log).call(read())
    assert log.references == ["", logged]


def test_a_platform_that_gives_no_more_tokens_pauses_the_system(outside: Outside) -> None:
    body = {"error": "invalid_request", "description": "rate limit exceeded"}
    outside.token_behaviour = answer(400, body=body)
    with pytest.raises(errors.RateLimited) as limited:
        http(outside.url, dialect=PLATFORM).call(read())
    assert (limited.value.retry_after, outside.requests) == (None, [])


@pytest.mark.parametrize(
    ("thing_id", "encoded"),
    [
        ("a/b", "a%2Fb"),
        ("a?b=c", "a%3Fb%3Dc"),
        ("a%2Fb", "a%252Fb"),
        ("a#b", "a%23b"),
        ("email_someone@example.com", "email_someone%40example.com"),
        ("a b", "a%20b"),
        ("é", "%C3%A9"),
        ("a\r\nX-Header: 1", "a%0D%0AX-Header%3A%201"),
    ],
)
def test_ids_are_percent_encoded(outside: Outside, thing_id: str, encoded: str) -> None:
    http(outside.url).call(read(ids={"thing_id": thing_id}))
    assert outside.requests[0].target == f"/api/v2/things/{encoded}"


def test_the_token_is_asked_for_with_basic_and_a_form(outside: Outside) -> None:
    grant = ClientCredentials(client_id="clïent", client_secret="sécret€", scope="a:read")
    http(outside.url, grant=grant).call(read())
    (request,) = outside.token_requests
    assert request.method == "POST"
    assert request.body == b"grant_type=client_credentials&scope=a%3Aread"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["accept"] == "application/json"
    scheme, _, credentials = request.headers["authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(credentials).decode() == "clïent:sécret€"


def test_a_netrc_lends_its_credentials_to_no_request(
    outside: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login stranger password stranger\n")
    monkeypatch.setenv("NETRC", str(netrc))
    http(outside.url, grant=NoCredentials()).call(read())
    assert "authorization" not in outside.token_requests[0].headers
    assert outside.requests[0].headers["authorization"] == "Bearer token-1"


def test_one_tenants_cookies_are_not_sent_for_another(outside: Outside) -> None:
    outside.behaviours = [answer(body={}, headers={"Set-Cookie": "session=ann; Path=/"})]
    wire = Wire()
    http(outside.url, wire=wire).call(read())
    http(outside.url, wire=wire).call(read())
    assert ["cookie" in request.headers for request in outside.requests] == [False, False]


def test_decimals_keep_their_digits_both_ways(outside: Outside) -> None:
    outside.behaviours = [answer(body=b'{"a":12500.50,"b":0.10,"c":12345678901234567890}')]
    body = http(outside.url).call(write({"a": Decimal("12500.50"), "é": "ü"})).body
    assert outside.requests[0].body.decode() == '{"a":12500.50,"é":"ü"}'
    assert outside.requests[0].headers["content-type"] == "application/json"
    assert {name: str(value) for name, value in body.items()} == {
        "a": "12500.50",
        "b": "0.10",
        "c": "12345678901234567890",
    }


def test_a_text_that_utf_8_cannot_hold_is_sent_as_it_came(outside: Outside) -> None:
    outside.behaviours = [answer(body=b'{"name":"\\ud800"}')]
    system = http(outside.url)
    system.call(write(system.call(read()).body))
    assert outside.requests[1].body == b'{"name":"\\ud800"}'


def test_a_compressed_body_is_read(outside: Outside) -> None:
    packed = gzip.compress(b'{"a":1}')
    outside.behaviours = [answer(body=packed, headers={"Content-Encoding": "gzip"})]
    assert http(outside.url).call(read()).body == {"a": 1}


@pytest.mark.parametrize("status", [200, 204])
def test_an_empty_body_is_none(outside: Outside, status: int) -> None:
    outside.behaviours = [answer(status)]
    assert http(outside.url).call(read()).body is None


def test_an_allowed_status_is_returned(outside: Outside) -> None:
    outside.behaviours = [answer(404, {"code": "not.found"})]
    assert http(outside.url).call(read(allowed=frozenset({404}))).status == 404


def test_a_refused_token_is_renewed_once_and_the_call_repeated(outside: Outside) -> None:
    outside.behaviours = [answer(401), answer(body={"ok": True})]
    gate = OpenGate()
    assert http(outside.url, gate=gate).call(read()).body == {"ok": True}
    sent = [request.headers["authorization"] for request in outside.requests]
    assert sent == ["Bearer token-1", "Bearer token-2"]
    assert gate.entered == 2


def test_a_second_401_is_final(outside: Outside) -> None:
    outside.behaviours = [answer(401)]
    with pytest.raises(errors.Unauthenticated):
        http(outside.url).call(read())
    assert len(outside.requests) == len(outside.token_requests) == 2


def test_a_token_is_fetched_once_for_many_calls(outside: Outside) -> None:
    system = http(outside.url)
    for _ in range(3):
        system.call(read())
    assert len(outside.token_requests) == 1


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (answer(401, {"error": "invalid_client"}), errors.Unauthenticated),
        (answer(400, {"error": "invalid_scope"}), errors.Unauthenticated),
        (answer(302, headers={"Location": "/login"}), errors.Unauthenticated),
        (answer(403), errors.Unauthenticated),
        (answer(404, {"code": "not.found"}), errors.Unauthenticated),
        (answer(409), errors.Unauthenticated),
        (answer(422), errors.Unauthenticated),
        (answer(429, headers={"Retry-After": "7"}), errors.RateLimited),
        (answer(408), errors.OutcomeUnknown),
        (answer(503), errors.OutcomeUnknown),
        (answer(200, b"<html>"), errors.OutcomeUnknown),
        (answer(200, {"access_token": "t"}), errors.OutcomeUnknown),
        (answer(200, {"access_token": "t\n", "expires_in": 1}), errors.OutcomeUnknown),
        (reset, errors.OutcomeUnknown),
    ],
)
def test_without_a_token_nothing_is_sent(
    outside: Outside, behaviour: Behaviour, error: type[errors.ApiError]
) -> None:
    outside.token_behaviour = behaviour
    with pytest.raises(error) as caught:
        http(outside.url).call(write({}))
    assert caught.value.route == "/oauth/token"
    assert outside.requests == []


def test_a_refused_client_is_told_where_to_look(outside: Outside) -> None:
    outside.token_behaviour = answer(404, {"code": "not.found"})
    with pytest.raises(errors.Unauthenticated) as caught:
        http(outside.url).call(read())
    assert (caught.value.status, caught.value.code) == (404, "not.found")
    assert str(caught.value) == (
        "genesys answered 404 not.found to POST /oauth/token;"
        " check the client's id, secret (or key) and scope, and token_path"
    )


def test_a_closed_gate_lets_nothing_out(outside: Outside) -> None:
    gate = OpenGate(closed=errors.Postponed("genesys is paused", 7.0))
    with pytest.raises(errors.Postponed):
        http(outside.url, gate=gate).call(read())
    assert outside.requests == []


@pytest.mark.parametrize(
    ("header", "remaining"),
    [
        ("41", 41),
        ("0", 0),
        (None, None),
        ("", None),
        ("-1", None),
        ("many", None),
        ("9" * 99, None),
    ],
)
def test_the_gate_learns_what_is_left_of_the_servers_window(
    outside: Outside, header: str | None, remaining: int | None
) -> None:
    headers = {} if header is None else {"X-RateLimit-Remaining": header}
    outside.behaviours = [answer(429, headers=headers)]
    gate = OpenGate()
    with pytest.raises(errors.RateLimited):
        http(outside.url, gate=gate).call(read())
    assert gate.told == [Allowance(remaining=remaining)]


@pytest.mark.parametrize(
    ("header", "wait"),
    [("7", 7.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), (None, None)],
)
def test_a_429_carries_both_forms_of_retry_after(
    outside: Outside, header: str | None, wait: float | None
) -> None:
    outside.behaviours = [answer(429, headers={"retry-after": header} if header else {})]
    with pytest.raises(errors.RateLimited) as caught:
        http(outside.url).call(read())
    assert caught.value.retry_after == wait


def test_a_403_names_the_scope(outside: Outside) -> None:
    outside.behaviours = [answer(403, {"code": "missing.scope", "scope": "thing:read"})]
    with pytest.raises(errors.Forbidden, match=r"needs thing:read$"):
        http(outside.url).call(read())


def test_a_422_keeps_fields_and_drops_texts(outside: Outside) -> None:
    listed = [{"field": "age", "code": "not.number", "message": "'Ann' is no age"}]
    outside.behaviours = [answer(422, {"errors": listed})]
    with pytest.raises(errors.Unprocessable) as caught:
        http(outside.url).call(write({}))
    assert caught.value.fields == {"age": "not.number"}
    assert "Ann" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.BadRequest),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.StateChanged),
        (429, errors.RateLimited),
        (502, errors.OutcomeUnknown),
    ],
)
def test_an_error_page_that_is_no_json_does_not_hide_its_status(
    outside: Outside, status: int, error: type[errors.ApiError]
) -> None:
    outside.behaviours = [answer(status, b"<html>Ann's proxy says no</html>")]
    with pytest.raises(error) as caught:
        http(outside.url).call(read())
    assert type(caught.value) is error
    assert caught.value.status == status


def test_a_redirect_to_a_page_is_final_too(outside: Outside) -> None:
    outside.behaviours = [answer(301, b"<html>Moved", {"Location": f"{outside.url}/elsewhere"})]
    with pytest.raises(errors.BadRequest):
        http(outside.url).call(read())


def test_a_redirect_is_not_followed(outside: Outside) -> None:
    outside.behaviours = [answer(302, headers={"Location": f"{outside.url}/elsewhere"})]
    with pytest.raises(errors.BadRequest) as caught:
        http(outside.url).call(write({}))
    assert caught.value.status == 302
    assert len(outside.requests) == 1


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<html>", "HTML"),
        (b"{", "half an object"),
        (b"[" * 10_000 + b"]" * 10_000, "10,000 lists deep"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "10,000 objects deep"),
        (b"\xff\xfe\xfd", "no text"),
        (b"1" * 5_000, "a number of 5,000 digits"),
        (b"1e" + b"9" * 30, "an exponent out of bounds"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_success_that_cannot_be_read_leaves_the_outcome_unknown(
    outside: Outside, content: bytes, what: str
) -> None:
    outside.behaviours = [answer(200, content)]
    with pytest.raises(errors.OutcomeUnknown) as caught:
        http(outside.url).call(write({}))
    assert caught.value.status == 200


def test_a_body_beyond_the_limit_is_not_read_on(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "MAX_ANSWER_BYTES", 1_000)
    packed = gzip.compress(b'"' + b"x" * 5_000_000 + b'"')
    outside.behaviours = [answer(body=packed, headers={"Content-Encoding": "gzip"})]
    log = Exchanges()
    with pytest.raises(errors.TooLarge) as caught:
        http(outside.url, log=log).call(read())
    assert str(caught.value) == (
        "genesys answered 200 to GET /api/v2/things/{thing_id}"
        " with more than 1,000 bytes, which is the limit"
    )
    assert log.answers[-1] == ("/api/v2/things/{thing_id}", 200)


@pytest.mark.parametrize("behaviour", [reset, truncate, answer(500), answer(504)])
def test_a_write_without_a_whole_answer_is_sent_once_and_unknown(
    outside: Outside, behaviour: Behaviour
) -> None:
    outside.behaviours = [behaviour]
    log = Exchanges()
    with pytest.raises(errors.OutcomeUnknown) as caught:
        http(outside.url, log=log).call(write({"a": 1}))
    assert not isinstance(caught.value, errors.Unreachable)
    assert len(outside.requests) == 1
    assert log.answers[-1] == ("/api/v2/things/{thing_id}", caught.value.status)


def test_a_system_works_again_after_a_reset(outside: Outside) -> None:
    outside.behaviours = [reset, answer(body={"ok": True})]
    system = http(outside.url)
    with pytest.raises(errors.OutcomeUnknown):
        system.call(read())
    assert system.call(read()).body == {"ok": True}


def dripping(outside: Outside) -> Behaviour:
    return outside.drip({})


def dripping_before_closing(outside: Outside) -> Behaviour:
    return outside.drip({"Connection": "close"})


def hanging(outside: Outside) -> Behaviour:
    return outside.hang


def hanging_in_the_body(outside: Outside) -> Behaviour:
    return outside.late(1.8)


@pytest.mark.parametrize(
    ("slow", "seconds", "otherwise"),
    [
        (dripping, 1.0, 5.0),
        (dripping_before_closing, 1.0, 5.0),
        (hanging, 1.0, 5.0),
        (hanging_in_the_body, 2.0, 3.8),
    ],
)
def test_the_deadline_covers_the_whole_exchange(
    outside: Outside, slow: Callable[[Outside], Behaviour], seconds: float, otherwise: float
) -> None:
    """It would take `otherwise`, did each wait for the next byte have all the seconds."""
    outside.behaviours = [slow(outside)]
    started = time.monotonic()
    with pytest.raises(errors.OutcomeUnknown):
        http(outside.url, timeouts=Timeouts(write=seconds)).call(write({}))
    assert 0.9 * seconds < time.monotonic() - started < otherwise


def test_each_kind_of_call_has_its_own_timeout(outside: Outside) -> None:
    log = Exchanges()
    http(outside.url, log=log).call(read(kind="merge"))
    assert log.sent == [("/oauth/token", 10.0), ("/api/v2/things/{thing_id}", 30.0)]
    assert log.answers == [("/oauth/token", 200), ("/api/v2/things/{thing_id}", 200)]


@pytest.fixture
def refusing() -> Iterator[socket.socket]:
    """A port that is taken and refuses connections until somebody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken


def address(taken: socket.socket) -> str:
    return f"http://127.0.0.1:{taken.getsockname()[1]}"


def ready_tokens() -> TokensInMemory:
    return TokensInMemory(tokens={"default:genesys:client": "token-0"})


def test_a_connection_that_does_not_open_is_tried_again_and_counted(
    refusing: socket.socket,
) -> None:
    waits: list[float] = []
    log = Exchanges()
    system = http(address(refusing), wire=Wire(waits.append), log=log, tokens=ready_tokens())
    with pytest.raises(errors.Unreachable) as caught:
        system.call(write({}))
    assert caught.value.status is None
    assert len(waits) == CONNECT_TRIES - 1
    assert all(0 <= wait <= 1 for wait in waits)
    assert log.answers == [("/api/v2/things/{thing_id}", None)]


def test_a_system_that_comes_up_between_two_tries_is_reached(refusing: socket.socket) -> None:
    outside = Outside(listener=refusing)

    def come_up(_: float) -> None:
        refusing.listen()
        threading.Thread(target=outside.serve, daemon=True).start()

    system = http(outside.url, wire=Wire(come_up), tokens=ready_tokens())
    assert system.call(write({})).status == 200
    assert len(outside.requests) == 1
    outside.stopping.set()
    refusing.shutdown(socket.SHUT_RDWR)


def test_no_further_try_begins_beyond_the_deadline(refusing: socket.socket) -> None:
    waits: list[float] = []
    system = http(
        address(refusing),
        wire=Wire(waits.append),
        timeouts=Timeouts(write=0.0),
        tokens=ready_tokens(),
    )
    with pytest.raises(errors.Unreachable):
        system.call(write({}))
    assert waits == []


@pytest.mark.parametrize(
    "behaviour",
    [
        *(answer(status, b"Ann's page") for status in (400, 401, 403, 404, 409, 422, 429, 503)),
        answer(422, {"errors": [{"field": "Ann's", "code": "Ann's", "message": "Ann's"}]}),
        answer(200, b"Ann's page"),
        reset,
        truncate,
    ],
)
def test_no_error_shows_secrets_ids_or_bodies(outside: Outside, behaviour: Behaviour) -> None:
    outside.behaviours = [behaviour]
    call = read(method="PUT", ids={"thing_id": "ann-4711"}, body={"name": "Ann's"})
    with pytest.raises(errors.ApiError) as caught:
        http(outside.url).call(call)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    for secret in ("Ann's", "ann-4711", "token-1", "token-2", SECRET):
        assert secret not in shown


def test_no_value_shows_secrets_ids_or_bodies(outside: Outside) -> None:
    system = http(outside.url)
    outside.behaviours = [answer(body={"name": "Ann"}, headers={"X-Name": "Ann"})]
    call = read(ids={"thing_id": "ann-4711"}, query={"q": "Ann"}, body={"name": "Ann"})
    shown = f"{system.endpoint!r} {call!r} {system.call(call)!r}"
    for secret in ("Ann", "ann-4711", "token-1", SECRET):
        assert secret not in shown


def test_threads_share_a_wire_and_not_a_connection(outside: Outside) -> None:
    system = http(outside.url)
    system.call(read())
    bodies: list[Any] = []
    threads = [
        threading.Thread(target=lambda: bodies.append(system.call(read()).body)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert bodies == [{}] * 8


def test_the_sent_body_is_json_without_spaces(outside: Outside) -> None:
    http(outside.url).call(write({"a": [1, None, True], "b": {}}))
    assert outside.requests[0].body == b'{"a":[1,null,true],"b":{}}'
    assert json.loads(outside.requests[0].body) == {"a": [1, None, True], "b": {}}
