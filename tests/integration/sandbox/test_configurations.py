"""Web messaging configurations: versions, rules, and what a careless PUT loses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tasks import webmessaging
from workers.sandbox.genesys.configuration_rules import problems
from workers.sandbox.testing import SandboxHandle

Ask = Callable[..., requests.Response]
ORG = "org-001"
EMPTY_ORG = "org-070"


def path(organization_id: str = ORG) -> str:
    return f"/api/v2/webchat/organizations/{organization_id}/configurations"


def valid() -> dict[str, Any]:
    return {
        "widget": {
            "theme": {
                "colors": {"primary": "#0b5fff", "background": "#FFF"},
                "typography": {"fontSize": "16px", "fontFamily": "Inter"},
            },
            "accessibility": {
                "wcagLevel": "AA",
                "contrastRatio": 5.13,
                "ariaLiveRegion": "polite",
            },
        },
        "greetings": {"enabled": True, "messages": ["Hello!"], "delayMs": 2000},
        "availability": {
            "schedule": "custom",
            "rules": [
                {"dayOfWeek": "MONDAY", "startTime": "09:00", "endTime": "12:00"},
                {"dayOfWeek": "Monday", "startTime": "12:00", "endTime": "17:00"},
            ],
        },
        "features": {"flags": {"typingIndicator": True}, "audiences": [], "dynamicRouting": False},
    }


def put(
    ask: Ask, version: object, body: object = None, organization_id: str = ORG
) -> requests.Response:
    headers = {} if version is None else {"If-Match": str(version)}
    return ask("PUT", path(organization_id), json=body or valid(), headers=headers)


def test_a_put_with_the_version_that_was_read_makes_the_next(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    read = genesys("GET", path()).json()
    written = put(genesys, read["version"], {**read, **valid()})
    assert written.status_code == 200
    assert written.json()["version"] == read["version"] + 1
    assert genesys("GET", path()).json() == written.json()
    assert written.json()["launcher"] == read["launcher"]
    [effect] = sandbox.effects(kind="configuration.put", subject=ORG)
    assert (effect["detail"]["version"], effect["detail"]["dropped"]) == (read["version"] + 1, [])
    [entry] = sandbox.journal(method="PUT")
    assert entry["if_match"] == str(read["version"])


def test_a_put_that_forgets_other_writers_fields_loses_them(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    version = sandbox.get("configurations", ORG)["version"]
    put(genesys, version)
    [effect] = sandbox.effects(kind="configuration.put")
    assert effect["detail"]["dropped"] == ["branding", "launcher"]
    assert "launcher" not in sandbox.get("configurations", ORG)


@pytest.mark.parametrize(
    ("theme", "dropped"),
    [
        ({"others": {"corners": "round"}, "season": 1}, []),
        ({"others": {}, "season": 2}, ["widget.theme.others.corners"]),
        ({"others": "none"}, ["widget.theme.others.corners", "widget.theme.season"]),
        ({}, ["widget.theme.others", "widget.theme.season"]),
    ],
)
def test_a_lost_field_is_named_however_deep_it_was(
    sandbox: SandboxHandle, genesys: Ask, theme: dict[str, Any], dropped: list[str]
) -> None:
    body = valid()
    body["widget"]["theme"] |= {"others": {"corners": "round"}, "season": 1}
    version = put(genesys, 0, body, EMPTY_ORG).json()["version"]
    body = valid()
    body["widget"]["theme"] |= theme
    assert put(genesys, version, body, EMPTY_ORG).status_code == 200
    assert sandbox.effects(subject=EMPTY_ORG)[-1]["detail"]["dropped"] == dropped


def test_an_effect_tells_each_fields_digest_whatever_the_order_of_names(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    body = valid()
    version = put(genesys, 0, body, EMPTY_ORG).json()["version"]
    body["widget"] = dict(reversed(body["widget"].items()))
    body["greetings"]["messages"] = ["Good day!"]
    assert put(genesys, version, body, EMPTY_ORG).status_code == 200
    one, other = (each["detail"]["sha256"] for each in sandbox.effects(subject=EMPTY_ORG))
    assert set(one) == {"widget", "greetings", "availability", "features"}
    assert {name for name in one if one[name] != other[name]} == {"greetings"}


def test_a_blind_put_is_428(genesys: Ask) -> None:
    answer = put(genesys, None)
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition.required")


@pytest.mark.parametrize("if_match", ["*", "abc", "-1", "", "1.0"])
def test_if_match_must_be_a_version(genesys: Ask, if_match: str) -> None:
    assert put(genesys, if_match).status_code == 400


def test_a_stale_version_is_409_and_brings_the_right_one(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    version = sandbox.get("configurations", ORG)["version"]
    for stale in (0, version - 1, version + 1):
        if stale == version:
            continue
        answer = put(genesys, stale)
        assert answer.status_code == 409
        body = answer.json()
        assert body["version"] == version
        assert {"message", "code", "status"} <= set(body)
    assert sandbox.effects() == []
    assert put(genesys, f'"{version}"').status_code == 200


def test_of_two_writers_with_one_version_one_wins(sandbox: SandboxHandle, genesys: Ask) -> None:
    version = sandbox.get("configurations", ORG)["version"]
    assert [put(genesys, version).status_code for _ in range(2)] == [200, 409]
    assert len(sandbox.effects(kind="configuration.put")) == 1


def test_an_organization_without_a_configuration_has_version_zero(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    assert genesys("GET", path(EMPTY_ORG)).status_code == 404
    assert put(genesys, 1, organization_id=EMPTY_ORG).json()["version"] == 0
    answer = put(genesys, 0, organization_id=EMPTY_ORG)
    assert (answer.status_code, answer.json()["version"]) == (200, 1)


def test_an_unknown_organization_is_404(genesys: Ask) -> None:
    assert genesys("GET", path("org-999")).status_code == 404
    assert put(genesys, 0, organization_id="org-999").status_code == 404
    assert put(genesys, 0, organization_id="org-101").status_code == 404


def test_the_documents_own_organization_must_be_that_of_the_path(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    version = sandbox.get("configurations", ORG)["version"]
    body = {**valid(), "organizationId": "org-002"}
    assert put(genesys, version, body).status_code == 400


def test_the_documents_own_version_must_be_that_of_if_match(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    version = sandbox.get("configurations", ORG)["version"]
    answer = put(genesys, version, {**valid(), "version": version + 1})
    assert (answer.status_code, answer.json()["message"].split(":")[0]) == (400, "version")
    assert put(genesys, version, {**valid(), "version": version}).status_code == 200


@pytest.mark.parametrize(
    ("colors", "flags"),
    [(("#0B5FFF", "#FFF"), {"typing": True}), (("#036", "#FFFFFF"), []), (("#000", "#fff"), {})],
)
def test_what_the_workers_deploy_keeps_the_rules(
    colors: tuple[str, str], flags: dict[str, bool] | list[str]
) -> None:
    config = webmessaging.WebMessaging(
        brand_color=colors[0],
        background_color=colors[1],
        font_size=14,
        font_family="Open Sans",
        greetings=["Hello!"],
        availability_rules=[],
        feature_flags=flags,
        audience_segments=["vip"],
    )
    assert problems(webmessaging.payload(config)) == []


@pytest.mark.parametrize("status", [404, 405])
def test_the_get_may_be_missing_as_in_the_guides(
    sandbox: SandboxHandle, genesys: Ask, status: int
) -> None:
    sandbox.options(configuration_get=status)
    assert genesys("GET", path()).status_code == status
    version = put(genesys, 0).json()["version"]
    assert put(genesys, version).status_code == 200


def test_every_broken_rule_is_reported_with_its_field(sandbox: SandboxHandle, genesys: Ask) -> None:
    body = valid()
    body["widget"]["theme"]["colors"]["primary"] = "blue"
    body["greetings"]["messages"] = []
    version = sandbox.get("configurations", ORG)["version"]
    answer = put(genesys, version, body)
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert [each["field"] for each in errors] == [
        "widget.theme.colors.primary",
        "greetings.messages",
    ]
    assert all(set(each) == {"field", "code", "message"} for each in errors)
    assert sandbox.get("configurations", ORG)["version"] == version


def rule(day: object, start: object, end: object) -> dict[str, object]:
    return {"dayOfWeek": day, "startTime": start, "endTime": end}


MONDAY = rule("MONDAY", "09:00", "12:00")


@pytest.mark.parametrize(
    ("where", "value", "codes"),
    [
        ("widget.theme.colors.primary", "#12345G", ["color.invalid"]),
        ("widget.theme.colors.primary", "#1234", ["color.invalid"]),
        ("widget.theme.colors.background", None, ["color.invalid"]),
        ("widget.accessibility.contrastRatio", 5.09, []),
        ("widget.accessibility.contrastRatio", 5.17, []),
        ("widget.accessibility.contrastRatio", 5.07, ["contrast.mismatch"]),
        ("widget.accessibility.contrastRatio", 5.2, ["contrast.mismatch"]),
        ("widget.accessibility.contrastRatio", 4.5, ["contrast.mismatch"]),
        ("widget.theme.colors.primary", "#000", ["contrast.mismatch"]),
        ("widget.accessibility.contrastRatio", 4.49, ["contrast.out.of.range"]),
        ("widget.accessibility.contrastRatio", 21.01, ["contrast.out.of.range"]),
        ("widget.accessibility.contrastRatio", "7.2", ["contrast.out.of.range"]),
        ("widget.accessibility.contrastRatio", True, ["contrast.out.of.range"]),
        ("widget.theme.typography.fontSize", "14px", []),
        ("widget.theme.typography.fontSize", "24px", []),
        ("widget.theme.typography.fontSize", "13px", ["font.size.invalid"]),
        ("widget.theme.typography.fontSize", "25px", ["font.size.invalid"]),
        ("widget.theme.typography.fontSize", "16", ["font.size.invalid"]),
        ("widget.theme.typography.fontSize", 16, ["font.size.invalid"]),
        ("widget.theme.typography.fontFamily", None, ["value.invalid"]),
        ("widget.theme.typography.fontFamily", " ", ["value.invalid"]),
        ("widget.accessibility.wcagLevel", None, ["value.invalid"]),
        ("widget.accessibility.wcagLevel", "B", ["value.invalid"]),
        ("widget.accessibility.ariaLiveRegion", "loud", ["value.invalid"]),
        ("greetings.enabled", None, ["value.invalid"]),
        ("greetings.enabled", "yes", ["value.invalid"]),
        ("greetings.delayMs", None, ["value.invalid"]),
        ("greetings.delayMs", -1, ["value.invalid"]),
        ("greetings.delayMs", True, ["value.invalid"]),
        ("availability.schedule", None, ["value.invalid"]),
        ("features.flags", None, ["value.invalid"]),
        ("features.flags", ["typingIndicator"], []),
        ("features.audiences", None, ["value.invalid"]),
        ("features.dynamicRouting", "no", ["value.invalid"]),
        ("greetings.messages", ["a", "b", "c"], []),
        ("greetings.messages", ["a", "b", "c", "d"], ["greetings.count"]),
        ("greetings.messages", "Hello", ["greetings.count"]),
        ("greetings.messages", ["x" * 150], []),
        ("greetings.messages", ["x" * 151, ""], ["greeting.length", "greeting.length"]),
        ("availability.rules", [], []),
        ("availability.rules", None, ["rules.missing"]),
        ("availability.rules", [rule("Caturday", "09:00", "10:00")], ["rule.day.invalid"]),
        ("availability.rules", ["monday"], ["rule.day.invalid"]),
        ("availability.rules", [rule("monday", "10:00", "10:00")], ["rule.time.invalid"]),
        ("availability.rules", [rule("monday", "9:00", "10:00")], ["rule.time.invalid"]),
        ("availability.rules", [rule("monday", "09:00", "24:00")], ["rule.time.invalid"]),
        ("availability.rules", [rule("monday", "09:00", None)], ["rule.time.invalid"]),
        ("availability.rules", [MONDAY, rule("monday", "11:59", "13:00")], ["rule.overlap"]),
        ("availability.rules", [MONDAY, rule("monday", "10:00", "11:00")], ["rule.overlap"]),
        ("availability.rules", [MONDAY, rule("tuesday", "09:00", "12:00")], []),
    ],
)
def test_rules_of_a_configuration(where: str, value: object, codes: list[str]) -> None:
    document = valid()
    *parents, name = where.split(".")
    holder = document
    for parent in parents:
        holder = holder[parent]
    holder[name] = value
    assert [problem.code for problem in problems(document)] == codes


def test_every_seeded_configuration_keeps_the_rules(sandbox: SandboxHandle) -> None:
    for organization_id in sandbox.ids("configurations"):
        assert problems(sandbox.get("configurations", organization_id)) == []
