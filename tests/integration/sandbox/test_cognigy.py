"""Contact profiles of Cognigy.AI: keys, names, types, sizes, budgets and how long they live."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
PROFILES = "/new/v2.0/profiles"
PROJECT = "5ce7c2d833ea1e04d7e6c432"
MARY = "60c9ecafaba1eb6a1af9b3f7"
DAY = 86_400
SCHEMA = {
    "firstname": "Text",
    "Age": "Number",
    "newsletter": "YesNo",
    "crm": "Complex",
    "accepted_gdpr": "YesNo",
    "prevent_data_collection": "YesNo",
}


@pytest.fixture
def cognigy(sandbox: SandboxHandle, send: Ask) -> Ask:
    def cognigy(
        method: str, path: str, key: str | None = "sandbox-cognigy-key", **options: Any
    ) -> requests.Response:
        headers = {"X-API-Key": key} | options.pop("headers", {})
        return send(method, f"{sandbox.cognigy_url}{path}", headers=headers, **options)

    return cognigy


@pytest.fixture
def mary(sandbox: SandboxHandle) -> str:
    """The path of a profile, in a project with a field of each type."""
    sandbox.put("cognigySchemas", PROJECT, {"fields": SCHEMA})
    profile = {"firstname": "Mary", "accepted_gdpr": True}
    body = {"profile": profile, "contactIds": ["mary"], "projectId": PROJECT}
    sandbox.put("cognigyProfiles", MARY, body)
    return f"{PROFILES}/{MARY}"


def patch(cognigy: Ask, path: str, **fields: object) -> requests.Response:
    return cognigy("PATCH", path, json={"profile": fields})


def held(sandbox: SandboxHandle) -> dict[str, Any]:
    profile: dict[str, Any] = sandbox.get("cognigyProfiles", MARY)["profile"]
    return profile


def new(**fields: object) -> dict[str, Any]:
    made = {"profile": {}, "active": True, "contactIds": ["john"], "projectId": PROJECT}
    return made | fields


def test_fields_are_laid_over_the_others(
    sandbox: SandboxHandle, cognigy: Ask, mary: str, clock: ManualClock
) -> None:
    written = patch(cognigy, mary, Age=7, newsletter=False, crm={"ids": [1]})
    assert (written.status_code, written.content) == (204, b"")
    assert cognigy("GET", mary).json() == {
        "_id": MARY,
        "profile": {
            "firstname": "Mary",
            "accepted_gdpr": True,
            "Age": 7,
            "newsletter": False,
            "crm": {"ids": [1]},
        },
        "active": True,
        "contactIds": ["mary"],
        "createdAt": 0,
        "lastChanged": int(clock.now),
        "createdBy": "control",
        "lastChangedBy": "sandbox-cognigy",
    }
    [effect] = sandbox.effects(kind="cognigy.profile_patched", subject=MARY, system="cognigy")
    assert effect["detail"]["names"] == ["Age", "crm", "newsletter"]
    assert len(effect["detail"]["sha256"]["Age"]) == 64
    patch(cognigy, mary, Age=7, firstname="Maria")
    assert sandbox.effects()[-1]["detail"]["changed"] == ["firstname"]
    assert "Maria" not in str(sandbox.effects())


def test_names_are_compared_without_case(sandbox: SandboxHandle, cognigy: Ask, mary: str) -> None:
    assert patch(cognigy, mary, FirstName="Maria", age=8).status_code == 204
    assert held(sandbox) == {"firstname": "Maria", "accepted_gdpr": True, "Age": 8}
    for one, other in (("AGE", "age"), ("age", "AGE")):
        refused = patch(cognigy, mary, **{one: 1, other: 2})
        assert (refused.status_code, refused.json()["details"]) == (400, {"field": other})


def test_a_null_takes_a_field_away_or_is_refused(
    sandbox: SandboxHandle, cognigy: Ask, mary: str
) -> None:
    sandbox.options(cognigy_null="refuse")
    assert patch(cognigy, mary, firstname=None).status_code == 400
    sandbox.options(cognigy_null="remove")
    assert patch(cognigy, mary, firstname=None).status_code == 204
    assert held(sandbox) == {"accepted_gdpr": True}


@pytest.mark.parametrize("name", ["first name", "first-name", "größe", "a.b", "", "First[0]"])
def test_a_name_has_letters_digits_and_underscores_only(
    sandbox: SandboxHandle, cognigy: Ask, mary: str, name: str
) -> None:
    sandbox.options(cognigy_unknown_field="ignore")
    assert patch(cognigy, mary, **{name: "x"}).status_code == 400
    assert sandbox.effects() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("firstname", 7),
        ("firstname", True),
        ("firstname", ["Mary"]),
        ("Age", "7"),
        ("Age", True),
        ("Age", 2**53),
        ("Age", -(2**53)),
        ("newsletter", "true"),
        ("newsletter", 1),
        ("crm", "x"),
        ("crm", 1),
        ("unheard_of", "x"),
    ],
)
def test_a_value_against_the_profile_schema_changes_nothing(
    sandbox: SandboxHandle, cognigy: Ask, mary: str, name: str, value: object
) -> None:
    refused = patch(cognigy, mary, **{"firstname": "Maria", name: value})
    assert (refused.status_code, refused.json()["details"]) == (400, {"field": name})
    assert held(sandbox) == {"firstname": "Mary", "accepted_gdpr": True}
    assert sandbox.effects() == []


@pytest.mark.parametrize("value", [0, 2**53 - 1, -(2**53 - 1)])
def test_whole_numbers_that_javascript_holds_stay_exact(
    sandbox: SandboxHandle, cognigy: Ask, mary: str, value: int
) -> None:
    assert patch(cognigy, mary, Age=value).status_code == 204
    assert held(sandbox)["Age"] == value


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("12500.50", "12500.5"), ("0.1", "0.1"), ("0.12345678901234567890", "0.12345678901234568")],
)
def test_fractions_become_what_javascript_makes_of_them(
    sandbox: SandboxHandle, cognigy: Ask, mary: str, sent: str, kept: str
) -> None:
    headers = {"Content-Type": "application/json"}
    body = f'{{"profile":{{"Age":{sent}}}}}'
    assert cognigy("PATCH", mary, data=body, headers=headers).status_code == 204
    assert str(held(sandbox)["Age"]) == kept
    assert isinstance(held(sandbox)["Age"], Decimal)


def test_unknown_fields_may_be_ignored(sandbox: SandboxHandle, cognigy: Ask, mary: str) -> None:
    sandbox.options(cognigy_unknown_field="ignore")
    assert patch(cognigy, mary, firstname="Maria", unheard_of="x").status_code == 204
    assert held(sandbox) == {"firstname": "Maria", "accepted_gdpr": True}


@pytest.mark.parametrize(
    "body", [{}, {"firstname": "x"}, {"profile": []}, {"contactIds": "mary"}, {"active": "yes"}]
)
def test_a_patch_has_its_own_fields_and_at_least_one(
    cognigy: Ask, mary: str, body: dict[str, object]
) -> None:
    assert cognigy("PATCH", mary, json=body).status_code == 400


def test_an_effect_tells_what_the_person_has_agreed_to(
    sandbox: SandboxHandle, cognigy: Ask, mary: str
) -> None:
    patch(cognigy, mary, prevent_data_collection=True)
    patch(cognigy, mary, Age=7)
    assert [each["detail"]["consent"] for each in sandbox.effects()] == [
        {"accepted_gdpr": True, "prevent_data_collection": None},
        {"accepted_gdpr": True, "prevent_data_collection": True},
    ]


def test_a_profile_is_made_under_an_id_of_the_systems_own(
    sandbox: SandboxHandle, cognigy: Ask, mary: str
) -> None:
    made = cognigy("POST", PROFILES, json=new(profile={"FIRSTNAME": "John", "Age": None}))
    assert made.status_code == 201
    body = made.json()
    assert (body["profile"], body["contactIds"]) == ({"firstname": "John"}, ["john"])
    assert len(body["_id"]) == 24
    assert cognigy("GET", f"{PROFILES}/{body['_id']}").json() == body
    [effect] = sandbox.effects(kind="cognigy.profile_created")
    assert (effect["subject"], effect["detail"]["names"]) == (body["_id"], ["Age", "firstname"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (new(projectId="0" * 24), 400),
        (new(profile={"unheard_of": "x"}), 400),
        (new(profile={"Age": "7"}), 400),
        (new(contactIds=None), 400),
        (new(_id=24 * "a"), 400),
        (new(contactIds=["john", "mary"]), 409),
    ],
)
def test_a_profile_that_cannot_be_is_not_made(
    sandbox: SandboxHandle, cognigy: Ask, mary: str, body: dict[str, object], status: int
) -> None:
    assert cognigy("POST", PROFILES, json=body).status_code == status
    assert sandbox.effects() == []


def test_a_contact_id_belongs_to_one_profile_of_a_project(
    sandbox: SandboxHandle, cognigy: Ask, mary: str
) -> None:
    john = f"{PROFILES}/{cognigy('POST', PROFILES, json=new()).json()['_id']}"
    assert cognigy("PATCH", john, json={"contactIds": ["mary"]}).status_code == 409
    assert cognigy("PATCH", john, json={"contactIds": ["john", "jack"]}).status_code == 204
    assert cognigy("GET", john).json()["contactIds"] == ["john", "jack"]
    sandbox.put("cognigySchemas", "1" * 24, {"fields": {}})
    assert cognigy("POST", PROFILES, json=new(projectId="1" * 24)).status_code == 201


@pytest.mark.parametrize("profile_id", ["short", "A" * 24, "a" * 25, "a-b" * 8, "%20" * 24])
def test_what_is_no_id_is_a_bad_request(cognigy: Ask, profile_id: str) -> None:
    assert cognigy("GET", f"{PROFILES}/{profile_id}").status_code == 400
    assert cognigy("GET", f"{PROFILES}/{'a' * 24}").status_code == 404


@pytest.mark.parametrize("key", [None, "", "wrong", "sandbox-secret", "sandbox-cognigy"])
def test_a_wrong_key_is_unknown(
    sandbox: SandboxHandle, cognigy: Ask, mary: str, key: str | None
) -> None:
    sandbox.put_client("keyless", system="cognigy", organization="default")
    assert cognigy("GET", mary, key=key).status_code == 401
    assert sandbox.journal()[-1]["client"] is None


@pytest.mark.parametrize("name", ["api_key", "X-API-Key"])
@pytest.mark.parametrize("key", [None, "sandbox-cognigy-key"])
def test_a_key_in_the_query_string_is_refused(
    cognigy: Ask, mary: str, name: str, key: str | None
) -> None:
    params = {name: "sandbox-cognigy-key"}
    assert cognigy("GET", mary, key=key, params=params).status_code == 401


def test_keys_are_known_by_their_client(sandbox: SandboxHandle, cognigy: Ask, mary: str) -> None:
    cognigy("GET", mary)
    cognigy("GET", mary, key="acme-cognigy-key")
    asked = sandbox.journal(system="cognigy")
    assert [(each["client"], each["organization"], each["status"]) for each in asked] == [
        ("sandbox-cognigy", "default", 200),
        ("acme-cognigy", "acme", 404),
    ]
    assert "cognigy-key" not in str(asked + sandbox.clients())


def test_a_refusal_is_a_problem_of_rfc_7807(cognigy: Ask, mary: str) -> None:
    refused = patch(cognigy, mary, Age="7")
    trace = refused.headers["X-Correlation-Id"]
    assert refused.json() == {
        "type": "Bad Request",
        "title": "Bad Request Error",
        "status": 400,
        "detail": "Validation failed. Age: '7' is no Number",
        "code": 1000,
        "traceId": f"api--{trace}",
        "details": {"field": "Age"},
    }


def test_an_injected_failure_is_one_too(sandbox: SandboxHandle, cognigy: Ask, mary: str) -> None:
    sandbox.fault(kind="status", system="cognigy", status=520)
    assert cognigy("GET", mary).json()["status"] == 520


def test_a_body_may_have_sixty_thousand_bytes(
    sandbox: SandboxHandle, cognigy: Ask, mary: str
) -> None:
    headers = {"Content-Type": "application/json"}
    longest = b'{"profile": {"newsletter": true}}'.ljust(60_000)
    assert cognigy("PATCH", mary, data=longest, headers=headers).status_code == 204
    refused = cognigy("PATCH", mary, data=longest + b" ", headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (413, "Request Entity Too Large")


def test_an_organisation_has_a_thousand_calls_in_five_minutes(
    sandbox: SandboxHandle, cognigy: Ask, clock: ManualClock
) -> None:
    sandbox.put_client("second", system="cognigy", organization="default", secret="second-key")
    path, keys = f"{PROFILES}/{'a' * 24}", ("sandbox-cognigy-key", "second-key")
    calls = [cognigy("GET", path, key=keys[number % 2]).status_code for number in range(1000)]
    assert set(calls) == {404}
    clock.advance(299)
    refused = cognigy("GET", path)
    assert (refused.status_code, refused.json()["title"]) == (429, "Too Many Requests Error")
    assert not {"Retry-After", "X-RateLimit-Remaining"} & set(refused.headers)
    assert cognigy("GET", path, key="acme-cognigy-key").status_code == 404
    clock.advance(1)
    assert cognigy("GET", path).status_code == 404


def test_a_clients_budget_a_minute_counts_for_the_whole_window(
    sandbox: SandboxHandle, cognigy: Ask, mary: str
) -> None:
    sandbox.put_client("sandbox-cognigy", requests_per_minute=1)
    assert [cognigy("GET", mary).status_code for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.parametrize("use", ["GET", "PATCH"])
def test_a_profile_expires_thirty_days_after_it_was_used(
    sandbox: SandboxHandle, cognigy: Ask, mary: str, clock: ManualClock, use: str
) -> None:
    clock.advance(30 * DAY - 1)
    assert cognigy(use, mary, json={"profile": {"Age": 1}}).ok
    clock.advance(30 * DAY - 1)
    assert cognigy("GET", mary).status_code == 200
    clock.advance(30 * DAY)
    assert patch(cognigy, mary, Age=7).status_code == 404
    again = cognigy("POST", PROFILES, json=new(contactIds=["mary"]))
    assert again.status_code == 201
    assert again.json()["_id"] != MARY


def test_a_seeded_profile_was_used_at_the_start(
    sandbox: SandboxHandle, cognigy: Ask, clock: ManualClock
) -> None:
    profile_id = sandbox.ids("cognigyProfiles")[0]
    seeded = sandbox.get("cognigyProfiles", profile_id)
    assert seeded["contactIds"] == [sandbox.ids("contacts")[0]]
    sandbox.options(cognigy_profile_days=1)
    clock.advance(DAY - 1)
    assert cognigy("GET", f"{PROFILES}/{profile_id}").status_code == 200
    clock.advance(1)
    other = sandbox.ids("cognigyProfiles")[1]
    assert cognigy("GET", f"{PROFILES}/{other}").status_code == 404


def test_another_writer_may_change_a_profile(
    sandbox: SandboxHandle, cognigy: Ask, mary: str
) -> None:
    changes = {"profile": {"firstname": "Maria"}}
    sandbox.fault(kind="foreign_write", system="cognigy", method="GET", changes=changes)
    assert cognigy("GET", mary).json()["profile"]["firstname"] == "Mary"
    assert held(sandbox)["firstname"] == "Maria"
