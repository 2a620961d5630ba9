"""The Platform API's masking rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from workers.sandbox.platform.masking_rules import MOST_RULES
from workers.sandbox.testing import SandboxHandle

Ask = Callable[..., requests.Response]
RULES = "/api/v2/dataprivacy/maskingrules"


def rule(definition: str = r"\d{16}", **changes: Any) -> dict[str, Any]:
    base = {"name": "cards", "substituteCharacter": "*", "enabled": True, "type": "Custom"}
    return {**base, "definition": definition, **changes}


def create(ask: Ask, *args: str, **changes: Any) -> requests.Response:
    return ask("POST", RULES, json=rule(*args, **changes))


def test_a_rule_is_made_changed_and_deleted(sandbox: SandboxHandle, platform: Ask) -> None:
    made = create(platform)
    assert made.status_code == 201
    path = f"{RULES}/{made.json()['id']}"
    assert platform("GET", path).json() == made.json()
    assert platform("GET", RULES).json()["entities"] == [made.json()]
    changed = platform("PATCH", path, json={"enabled": False}).json()
    assert changed["dateModified"] > made.json()["dateModified"]
    own = {"enabled": False, "dateModified": changed["dateModified"]}
    assert platform("GET", path).json() == made.json() | own
    assert platform("DELETE", path).status_code == 204
    gone = platform("GET", path)
    assert (gone.status_code, gone.json()["code"]) == (404, "maskingrule.notfound")
    kinds = ["maskingrule.created", "maskingrule.changed", "maskingrule.deleted"]
    assert [each["kind"] for each in sandbox.effects()] == kinds
    assert sandbox.effects(kind="maskingrule.changed")[0]["detail"]["changed"] == ["enabled"]


def test_an_organization_without_rules_is_404(platform: Ask) -> None:
    answer = platform("GET", RULES)
    assert (answer.status_code, answer.json()["code"]) == (404, "maskingrules.notfound")


def test_a_definition_is_there_once(platform: Ask) -> None:
    first = create(platform).json()
    again = create(platform, name="other")
    assert (again.status_code, again.json()["code"]) == (409, "definition.conflict")
    second = create(platform, r"\d{3}-\d{2}-\d{4}").json()
    clash = platform("PATCH", f"{RULES}/{second['id']}", json=rule(first["definition"]))
    assert (clash.status_code, clash.json()["code"]) == (409, "definition.conflict")
    assert platform("PATCH", f"{RULES}/{first['id']}", json=rule()).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"definition": "("}, "regex.invalid"),
        ({"definition": r"(\d+)+"}, "regex.inefficient"),
        ({"definition": r"(a{2,})*b"}, "regex.inefficient"),
        ({"substituteCharacter": "xx"}, "constraint.validation"),
        ({"name": None}, "constraint.validation"),
        ({"type": "Own"}, "invalid.value"),
        ({"direction": "sideways"}, "invalid.value"),
        ({"colour": "red"}, "invalid.property"),
    ],
)
def test_a_wrong_rule_is_400(
    sandbox: SandboxHandle, platform: Ask, changes: dict[str, Any], code: str
) -> None:
    answer = create(platform, **changes)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert sandbox.effects() == []


def test_there_is_a_limit_to_rules(sandbox: SandboxHandle, platform: Ask) -> None:
    sandbox.put_many("maskingRules", {f"r{n}": {"definition": str(n)} for n in range(MOST_RULES)})
    answer = create(platform)
    assert (answer.status_code, answer.json()["code"]) == (400, "maskingrule.maxlimit")


@pytest.mark.parametrize(
    ("definition", "status", "body"),
    [
        (
            r"\d{4}",
            200,
            {"valid": True, "maskedText": "pin **** or ****!", "validationMessage": ""},
        ),
        (r"(\d+)+", 200, {"valid": False}),
        ("(", 422, {"code": "regex.invalid"}),
    ],
)
def test_a_definition_can_be_tried(
    sandbox: SandboxHandle, platform: Ask, definition: str, status: int, body: dict[str, Any]
) -> None:
    asked = {"definition": definition, "text": "pin 1234 or 5678!"}
    answer = platform("POST", f"{RULES}/validate", json=asked)
    assert answer.status_code == status
    assert body.items() <= answer.json().items()
    assert sandbox.effects() == []
