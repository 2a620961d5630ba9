"""Masking rules of data privacy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks import errors
from tasks.apis.bodies import Body, parse, read_as
from tasks.apis.calls import Call
from tasks.apis.http import Http
from tasks.apis.masking_rules import MaskingRule, Trial

RULES = "/api/v2/dataprivacy/maskingrules"
RULE = f"{RULES}/{{rule_id}}"
PERMISSION = "dataprivacy:maskingrule"
#: An organisation without rules is answered with 404 `maskingrules.notfound`.
NONE = frozenset({404})


class _Rule(Body):
    id: str
    name: str
    definition: str
    description: str = ""
    substitute_character: str = "*"
    enabled: bool = True
    type: str = "Custom"

    def value(self) -> MaskingRule:
        return MaskingRule(
            id=self.id,
            name=self.name,
            definition=self.definition,
            description=self.description,
            substitute=self.substitute_character,
            enabled=self.enabled,
            kind=self.type,
        )


class _Rules(Body):
    entities: list[_Rule] = []


class _Trial(Body):
    valid: bool = False
    validation_message: str = ""
    masked_text: str = ""


@dataclass(frozen=True, kw_only=True)
class PlatformMasking:
    """Implements the `MaskingRules` seam."""

    http: Http

    def masking_rules(self) -> Sequence[MaskingRule]:
        """Return all rules; the listing has no pages."""
        call = Call(method="GET", route=RULES, needs=f"{PERMISSION}:view", allowed=NONE)
        answer = self.http.call(call)
        if answer.status in call.allowed:
            return ()
        return [each.value() for each in parse(_Rules, self.http, call, answer).entities]

    def try_definition(self, definition: str, text: str) -> Trial:
        call = Call(
            method="POST",
            route=f"{RULES}/validate",
            body={"definition": definition, "text": text},
            needs=f"{PERMISSION}:execute",
        )
        try:
            trial = read_as(_Trial, self.http, call)
        except (errors.BadRequest, errors.Unprocessable) as error:
            return Trial(refusal=error.code or str(error))
        if not trial.valid:
            return Trial(refusal=trial.validation_message or "is not valid")
        return Trial(masked=trial.masked_text)

    def create_masking_rule(self, rule: MaskingRule) -> None:
        self._write("POST", RULES, f"{PERMISSION}:add", _body(rule))

    def change_masking_rule(self, rule: MaskingRule) -> None:
        self._write("PATCH", RULE, f"{PERMISSION}:edit", _body(rule), rule_id=rule.id)

    def delete_masking_rule(self, rule_id: str) -> None:
        try:
            self._write("DELETE", RULE, f"{PERMISSION}:delete", None, rule_id=rule_id)
        except errors.NotFound:
            return

    def _write(
        self, method: str, route: str, needs: str, body: Mapping[str, object] | None, **ids: str
    ) -> None:
        self.http.call(
            Call(
                method=method,
                route=route,
                ids=ids,
                body=body,
                needs=needs,
                kind="write",
                effect=True,
            )
        )


def _body(rule: MaskingRule) -> Mapping[str, object]:
    return {
        "name": rule.name,
        "definition": rule.definition,
        "description": rule.description,
        "substituteCharacter": rule.substitute,
        "enabled": rule.enabled,
        "type": rule.kind,
    }
