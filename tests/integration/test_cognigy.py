"""Cognigy.AI against the sandbox: profiles read, changed and made, as far as people allow it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from redis import Redis

from tasks import errors
from tasks.apis.cognigy.settings import CognigySettings
from tasks.apis.cognigy.store import CognigyProfiles
from tasks.apis.customers import CustomerAttribute
from tasks.apis.tokens import ApiKey
from tests.integration.outside import answer
from tests.integration.outside import running as running_outside
from tests.integration.seams import Exchanges, http
from workers.remembering.profile_successors import KEEP, SuccessorsInRedis
from workers.sandbox.testing import ManualClock, SandboxHandle, running
from workers.store import Store

KEY = "sandbox-cognigy-key"
PROFILE = "0123456789abcdef01234567"
GONE = "f" * 24
ROUTE = "/new/v2.0/profiles/{profileId}"
DAY = 86_400.0


@dataclass(kw_only=True)
class SuccessorsInMemory:
    """Successors of one process."""

    known: dict[str, str] = field(default_factory=dict)

    def of(self, profile_id: str) -> str | None:
        return self.known.get(profile_id)

    def remember(self, profile_id: str, successor_id: str) -> None:
        self.known[profile_id] = successor_id


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def running_sandbox(clock: ManualClock) -> Iterator[SandboxHandle]:
    with running(clock=clock, cognigy_requests=100_000) as handle:
        yield handle


@pytest.fixture
def sandbox(running_sandbox: SandboxHandle) -> SandboxHandle:
    running_sandbox.reset()
    put_profile(running_sandbox, firstname="Ann", open_cases=3)
    return running_sandbox


def project(sandbox: SandboxHandle) -> str:
    return sandbox.ids("cognigySchemas")[0]


def put_profile(sandbox: SandboxHandle, **fields: Any) -> None:
    body = {"_id": PROFILE, "profile": fields, "contactIds": ["c-1"], "projectId": project(sandbox)}
    sandbox.put("cognigyProfiles", PROFILE, body)


def fields(sandbox: SandboxHandle, profile_id: str = PROFILE) -> dict[str, Any]:
    found: dict[str, Any] = sandbox.get("cognigyProfiles", profile_id)["profile"]
    return found


def store(sandbox: SandboxHandle, key: str = KEY, **options: Any) -> CognigyProfiles:
    seams = {name: options.pop(name) for name in ("log",) if name in options}
    successors = options.pop("successors", SuccessorsInMemory())
    grant = ApiKey(value=key)
    return CognigyProfiles(
        http=http(sandbox.cognigy_url, system="cognigy", grant=grant, **seams),
        settings=CognigySettings(**options),
        successors=successors,
    )


def creating(sandbox: SandboxHandle, **options: Any) -> CognigyProfiles:
    return store(sandbox, create_missing=True, project_id=project(sandbox), **options)


def calls(sandbox: SandboxHandle) -> list[tuple[str, int]]:
    return [(each["method"], each["status"]) for each in sandbox.journal()]


def text(name: str, value: str) -> CustomerAttribute:
    return CustomerAttribute(name=name, type="string", value=value)


def test_a_profile_is_read_with_the_key_in_a_header_and_no_token(sandbox: SandboxHandle) -> None:
    found = store(sandbox).read(PROFILE)
    assert found is not None
    assert (found.id, found.writable, found.reason) == (PROFILE, True, "")
    assert found.attributes == {"firstname": "Ann", "open_cases": 3}
    assert "Ann" not in repr(found)
    assert calls(sandbox) == [("GET", 200)]


def test_the_key_is_in_no_url_log_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log = Exchanges()
    with running_outside() as outside:
        outside.behaviours = [answer(401, body={"detail": "no"})]
        customers = CognigyProfiles(
            http=http(outside.url, system="cognigy", grant=ApiKey(value="canary-key"), log=log),
            settings=CognigySettings(),
            successors=SuccessorsInMemory(),
        )
        with pytest.raises(errors.Unauthenticated) as refused:
            customers.read(PROFILE)
    (request,) = outside.requests
    assert request.headers["x-api-key"] == "canary-key"
    assert request.headers["accept"] == "application/json"
    assert "authorization" not in request.headers
    shown = f"{request.target} {customers!r} {refused.value!r} {refused.value} {log} {caplog.text}"
    assert "canary" not in shown


def test_a_wrong_key_is_refused_after_one_call(sandbox: SandboxHandle) -> None:
    with pytest.raises(errors.Unauthenticated) as refused:
        store(sandbox, key="wrong").read(PROFILE)
    assert calls(sandbox) == [("GET", 401)]
    assert refused.value.code == "1001"
    assert refused.value.context_id.startswith("api--")


@pytest.mark.parametrize(
    "customer_id",
    ["crm-7", "A" * 24, "a" * 23, "a" * 25, "a" * 24 + "\n", "../" + "a" * 21, "ä" * 24, ""],
)
def test_what_is_no_profile_id_never_stands_in_a_path(
    sandbox: SandboxHandle, customer_id: str
) -> None:
    for ask in (
        partial(store(sandbox).read, customer_id),
        partial(store(sandbox).put_attributes, customer_id, [text("city", "Ulm")]),
        partial(creating(sandbox).create, customer_id, [text("city", "Ulm")]),
    ):
        with pytest.raises(errors.Rejected, match="24 characters of a-z and 0-9"):
            ask()
    assert calls(sandbox) == []


def test_a_write_leaves_other_fields_alone_and_keeps_types(sandbox: SandboxHandle) -> None:
    sent = [
        text("location", "Ulm"),
        CustomerAttribute(name="OPEN_CASES", type="number", value=Decimal(5)),
        CustomerAttribute(name="newsletter", type="boolean", value=True),
        CustomerAttribute(name="birthday", type="date", value="2024-02-29"),
        CustomerAttribute(name="customer_number", type="number", value=Decimal(2**53)),
    ]
    store(sandbox).put_attributes(PROFILE, sent)
    assert fields(sandbox) == {
        "firstname": "Ann",
        "location": "Ulm",
        "open_cases": 5,
        "newsletter": True,
        "birthday": "2024-02-29",
        "customer_number": "9007199254740992",
    }
    assert calls(sandbox) == [("GET", 200), ("PATCH", 204)]


def test_a_profile_that_was_read_is_not_read_again_before_it_is_written(
    sandbox: SandboxHandle,
) -> None:
    customers = store(sandbox)
    customers.read(PROFILE)
    customers.put_attributes(PROFILE, [text("location", "Ulm")])
    assert calls(sandbox) == [("GET", 200), ("PATCH", 204)]


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ({"prevent_data_collection": True}, "prevent_data_collection is set"),
        (
            {"prevent_data_collection": True, "accepted_gdpr": True},
            "prevent_data_collection is set",
        ),
        ({"accepted_gdpr": False}, "accepted_gdpr is not given"),
    ],
)
def test_who_does_not_want_to_be_known_is_not_written(
    sandbox: SandboxHandle, flags: dict[str, bool], reason: str
) -> None:
    put_profile(sandbox, **flags)
    found = store(sandbox).read(PROFILE)
    assert found is not None
    assert (found.writable, found.reason) == (False, reason)
    for write in (
        partial(store(sandbox).put_attributes, PROFILE, [text("location", "Ulm")]),
        partial(creating(sandbox).create, PROFILE, [text("location", "Ulm")]),
        partial(store(sandbox, null_removes=True).remove, PROFILE, ["firstname"]),
    ):
        with pytest.raises(errors.Rejected, match=reason):
            write()
    assert sandbox.effects() == []


def test_a_refused_field_is_named_and_its_value_is_not(sandbox: SandboxHandle) -> None:
    wrong = [text("open_cases", "Ann's"), text("location", "Ulm")]
    with pytest.raises(errors.Unprocessable) as refused:
        store(sandbox).put_attributes(PROFILE, wrong)
    assert refused.value.fields == {"open_cases": "refused"}
    assert (refused.value.status, refused.value.code) == (400, "1000")
    assert "Ann" not in f"{refused.value} {refused.value!r} {vars(refused.value)}"


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
def test_a_body_is_sent_up_to_sixty_thousand_bytes(
    sandbox: SandboxHandle, extra: int, fits: bool
) -> None:
    long = "é" * ((60_000 - len('{"profile":{"location":""}}')) // 2)
    padding = "x" * ((60_000 - len('{"profile":{"location":""}}')) % 2 + extra)
    sent = [text("location", long + padding)]
    if fits:
        store(sandbox).put_attributes(PROFILE, sent)
    else:
        with pytest.raises(errors.Rejected, match="60,000 bytes"):
            store(sandbox).put_attributes(PROFILE, sent)
    assert [method for method, _ in calls(sandbox)] == ["GET", "PATCH"][: 1 + fits]


def test_a_missing_profile_is_none_and_not_written(sandbox: SandboxHandle) -> None:
    assert store(sandbox).read(GONE) is None
    with pytest.raises(errors.NotFound):
        store(sandbox).put_attributes(GONE, [text("location", "Ulm")])
    with pytest.raises(errors.Unsupported, match="create_missing"):
        store(sandbox).create(GONE, [text("location", "Ulm")])
    assert sandbox.effects() == []


def test_a_profile_that_expired_is_made_again_where_the_tenant_says_so(
    sandbox: SandboxHandle, clock: ManualClock
) -> None:
    clock.advance(31 * DAY)
    successors = SuccessorsInMemory()
    customers = creating(sandbox, successors=successors)
    assert customers.read(PROFILE) is None
    customers.create(PROFILE, [text("location", "Ulm")])
    (made,) = sandbox.ids("cognigyProfiles")
    assert successors.known == {PROFILE: made}
    assert sandbox.get("cognigyProfiles", made)["contactIds"] == [PROFILE]
    assert fields(sandbox, made) == {"location": "Ulm"}


def test_a_profile_that_was_made_again_is_found_under_the_old_id(sandbox: SandboxHandle) -> None:
    successors = SuccessorsInMemory()
    creating(sandbox, successors=successors).create(GONE, [text("location", "Ulm")])
    later = creating(sandbox, successors=successors)
    later.create(GONE, [text("firstname", "Ann")])
    later.put_attributes(GONE, [text("lastname", "Doe")])
    made = successors.known[GONE]
    found = store(sandbox, successors=successors).read(GONE)
    assert found is not None
    assert found.id == made != GONE
    assert found.attributes == {"location": "Ulm", "firstname": "Ann", "lastname": "Doe"}
    assert len(sandbox.effects(kind="cognigy.profile_created")) == 1


def test_the_same_profile_can_be_written_right_after_it_was_made(sandbox: SandboxHandle) -> None:
    customers = creating(sandbox)
    customers.create(GONE, [text("location", "Ulm")])
    customers.put_attributes(GONE, [text("location", "Bonn")])
    assert len(sandbox.effects(kind="cognigy.profile_patched")) == 1


def test_a_contact_gets_no_second_profile(sandbox: SandboxHandle) -> None:
    creating(sandbox).create(GONE, [text("location", "Ulm")])
    with pytest.raises(errors.StateChanged) as taken:
        creating(sandbox).create(GONE, [text("location", "Ulm")])
    assert str(taken.value).endswith("another profile of the project has this contact id")


def test_fields_are_removed_where_a_null_does_that(sandbox: SandboxHandle) -> None:
    with pytest.raises(errors.Unsupported, match="null_removes"):
        store(sandbox).remove(PROFILE, ["firstname"])
    customers = store(sandbox, null_removes=True)
    assert customers.shape.removes
    customers.remove(PROFILE, ["firstname"])
    assert fields(sandbox) == {"open_cases": 3}


def test_a_429_leaves_the_wait_to_the_policy() -> None:
    with running(cognigy_requests=1) as small:
        put_profile(small, firstname="Ann")
        store(small).read(PROFILE)
        with pytest.raises(errors.RateLimited) as limited:
            store(small).read(PROFILE)
    assert limited.value.retry_after is None


def test_successors_are_shared_and_kept_while_they_are_asked_for(redis: Redis) -> None:
    successors = SuccessorsInRedis(store=Store(redis=redis), tenant="acme")
    assert successors.of(GONE) is None
    successors.remember(GONE, PROFILE)
    (name,) = redis.keys("gw:*")
    redis.expire(name, 5)
    assert SuccessorsInRedis(store=Store(redis=redis), tenant="acme").of(GONE) == PROFILE
    assert int(redis.ttl(name)) > KEEP - 60
    assert SuccessorsInRedis(store=Store(redis=redis), tenant="other").of(GONE) is None
