"""Masking rules: regular expressions whose matches are masked in messages yet to come."""

from __future__ import annotations

import re
from typing import Literal

# Before Python 3.12 pydantic cannot read that of `typing`.
from typing_extensions import TypedDict

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.errors import Refused, bad_request
from workers.sandbox.platform.errors import not_found
from workers.sandbox.platform.shapes import Own, Shape
from workers.sandbox.wire import digest, iso, later
from workers.sandbox.world import Document, new_id

PATH = "/api/v2/dataprivacy/maskingrules"
PERMISSION = "dataprivacy:maskingrule"
#: The vendor has a limit and does not publish it.
MOST_RULES = 50
REQUIRED = ("name", "substituteCharacter", "definition", "enabled", "type")
#: For a definition that another rule has; of all refusals this one is no `ErrorBody`.
CONFLICT = Answer(
    status=409,
    body={"message": "a rule with this definition is there", "code": "definition.conflict"},
)
#: A repeated group that repeats something itself: time grows exponentially with the text.
_INEFFICIENT = re.compile(r"\([^()]*[*+}][^()]*\)[*+{]")


class _Rule(TypedDict, total=False):
    id: Own
    name: str
    description: str
    substituteCharacter: str
    definition: str
    enabled: bool
    type: Literal["Custom", "Predefined", "Default"]
    direction: Literal["inbound", "outbound"]
    integrations: list[str]
    dateCreated: Own
    dateModified: Own


class _Trial(TypedDict):
    text: str
    definition: str


_SHAPE = Shape(_Rule)
_TRIAL = Shape(_Trial)


def list_rules(call: Call) -> Answer:
    """`GET /maskingrules` → `{entities}`; 404 `maskingrules.notfound` where there is none."""
    rules = list(call.organization.masking_rules.values())
    if not rules:
        raise Refused(404, "maskingrules.notfound", "there are no masking rules")
    return Answer(body={"entities": rules})


def create_rule(call: Call) -> Answer:
    """`POST /maskingrules` → 201; 409 `definition.conflict` for a definition that is there."""
    sent = _SHAPE.read(call)
    if missing := [name for name in REQUIRED if name not in sent]:
        raise bad_request(f"{missing[0]}: Field required", "constraint.validation")
    held = call.organization.masking_rules
    if len(held) >= MOST_RULES:
        raise bad_request("there are too many masking rules", "maskingrule.maxlimit")
    _check(sent)
    if _is_there(call, sent):
        return CONFLICT
    own = {
        "id": new_id(call.world.rng),
        "dateCreated": iso(call.now),
        "dateModified": iso(call.now),
    }
    rule = held[own["id"]] = {**sent, **own}
    call.effect("maskingrule.created", rule["id"], sha256=digest(rule["definition"]))
    return Answer(status=201, body=rule)


def read_rule(call: Call) -> Answer:
    """`GET /maskingrules/{ruleId}`."""
    return Answer(body=_known(call))


def change_rule(call: Call) -> Answer:
    """`PATCH /maskingrules/{ruleId}`: what is sent takes the place of what was there."""
    old = _known(call)
    sent = _SHAPE.read(call)
    _check({**old, **sent})
    if _is_there(call, {**old, **sent}):
        return CONFLICT
    changed = sorted(name for name, value in sent.items() if old.get(name) != value)
    old |= {**sent, "dateModified": later(old["dateModified"], call.now)}
    call.effect("maskingrule.changed", old["id"], changed=changed)
    return Answer(body=old)


def delete_rule(call: Call) -> Answer:
    """`DELETE /maskingrules/{ruleId}` → 204."""
    rule_id = _known(call)["id"]
    del call.organization.masking_rules[rule_id]
    call.effect("maskingrule.deleted", rule_id)
    return Answer(status=204)


def try_definition(call: Call) -> Answer:
    """`POST /maskingrules/validate` → `{valid, maskedText}`; 422 for what is no expression."""
    sent = _TRIAL.read(call)
    try:
        _check_definition(sent["definition"])
    except Refused as error:
        if error.code == "regex.invalid":
            raise Refused(422, error.code, error.message) from None
        return Answer(body={"valid": False, "validationMessage": error.message})
    masked = re.sub(sent["definition"], lambda match: "*" * len(match[0]), sent["text"])
    return Answer(body={"valid": True, "validationMessage": "", "maskedText": masked})


def _known(call: Call) -> Document:
    rule_id = call.path["ruleId"]
    try:
        return call.organization.masking_rules[rule_id]
    except KeyError:
        raise not_found("masking rule", rule_id, "maskingrule.notfound") from None


def _check(rule: Document) -> None:
    if len(rule["substituteCharacter"]) != 1:
        message = "substituteCharacter: must be one character"
        raise bad_request(message, "constraint.validation")
    if rule["type"] == "Custom":
        _check_definition(rule["definition"])


def _is_there(call: Call, rule: Document) -> bool:
    others = call.organization.masking_rules.values()
    return any(
        each["definition"] == rule["definition"] and each["id"] != rule.get("id") for each in others
    )


def _check_definition(definition: str) -> None:
    try:
        re.compile(definition)
    except re.error as error:
        raise bad_request(f"definition: {error}", "regex.invalid") from None
    if _INEFFICIENT.search(definition):
        raise bad_request("definition: repeats what repeats itself", "regex.inefficient")


_ONE = f"{PATH}/{{ruleId}}"
ROUTES = (
    Route(method="GET", path=PATH, handle=list_rules, all_of=(f"{PERMISSION}:view",)),
    Route(method="POST", path=PATH, handle=create_rule, all_of=(f"{PERMISSION}:add",)),
    Route(
        method="POST",
        path=f"{PATH}/validate",
        handle=try_definition,
        all_of=(f"{PERMISSION}:execute",),
    ),
    Route(method="GET", path=_ONE, handle=read_rule, all_of=(f"{PERMISSION}:view",)),
    Route(method="PATCH", path=_ONE, handle=change_rule, all_of=(f"{PERMISSION}:edit",)),
    Route(method="DELETE", path=_ONE, handle=delete_rule, all_of=(f"{PERMISSION}:delete",)),
)
