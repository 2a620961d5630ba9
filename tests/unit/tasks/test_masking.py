"""What a tenant wants masked, what is there, and what makes the one the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from tasks.apis.masking_rules import MaskingRule, MaskingRules, Trial
from tasks.errors import StateChanged
from tasks.masking import PATTERNS, PREFIX, Plan, carry_out, plan, refusals, wanted
from tasks.pii.findings import ENTITIES
from tasks.pii.rules import RedactionRules, TenantEntity

EMAIL = wanted(RedactionRules(entities=("email",))).rules[0]
SSN = wanted(RedactionRules(entities=("ssn",))).rules[0]
RULES = {rule.name.removeprefix(PREFIX): rule for rule in wanted(RedactionRules()).rules}
FOREIGN = MaskingRule(id="f", name="Cards", definition=r"\d{16}")


@dataclass(kw_only=True)
class FakeRules:
    """Masking rules in memory, of which no two have one definition."""

    rules: list[MaskingRule] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def masking_rules(self) -> Sequence[MaskingRule]:
        return tuple(self.rules)

    def try_definition(self, definition: str, text: str) -> Trial:
        try:
            return Trial(masked=re.sub(definition, lambda found: "*" * len(found[0]), text))
        except re.error:
            return Trial(refusal="regex.invalid")

    def create_masking_rule(self, rule: MaskingRule) -> None:
        self.calls.append(f"create {rule.name}")
        self._check(rule)
        self.rules.append(replace(rule, id=f"id-{len(self.calls)}"))

    def change_masking_rule(self, rule: MaskingRule) -> None:
        self.calls.append(f"change {rule.name}")
        self._check(rule)
        self.rules = [rule if each.id == rule.id else each for each in self.rules]

    def delete_masking_rule(self, rule_id: str) -> None:
        self.calls.append(f"delete {rule_id}")
        self.rules = [each for each in self.rules if each.id != rule_id]

    def _check(self, rule: MaskingRule) -> None:
        if rule.definition in {each.definition for each in self.rules if each.id != rule.id}:
            raise StateChanged(system="genesys", method="POST", route="/fake", status=409)


def there(rule: MaskingRule, rule_id: str = "r", **fields: object) -> MaskingRule:
    return replace(rule, id=rule_id, **fields)  # type: ignore[arg-type]  # any field


def test_every_entity_has_a_rule_of_our_name() -> None:
    rules = wanted(RedactionRules()).rules
    assert [rule.name for rule in rules] == [PREFIX + entity for entity in ENTITIES]
    assert all(rule.enabled and rule.kind == "Custom" for rule in rules)


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_rule_masks_the_sample_that_it_is_tried_with(entity: str) -> None:
    assert refusals([RULES[entity]], FakeRules()) == {}


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("email", "first.last+tag@mail.example.co.uk"),
        ("phone", "+49 30 901820"),
        ("phone", "(415) 555-0100"),
        ("phone", "415-555-0100"),
        ("ssn", "078 05 1120"),
        ("credit_card", "4111111111111111"),
        ("credit_card", "3782-822463-10005"),
        ("ip_address", "2001:db8:0:0:0:0:0:1"),
        ("ip_address", "2001:db8::17"),
        ("iban", "DE89370400440532013000"),
        ("iban", "NO93 8601 1117 947"),
        ("iban", "MT84 MALT 0110 0001 2345 MTLC AST0 01S"),
    ],
)
def test_a_value_is_masked_whole(entity: str, text: str) -> None:
    definition = RULES[entity].definition
    assert FakeRules().try_definition(definition, f"it is {text}, thanks").masked == (
        f"it is {'*' * len(text)}, thanks"
    )


@pytest.mark.parametrize(
    "text", ["order 4711", "2026-11-21 09:30:15", "version 1.2.3", "a @ b", "12"]
)
def test_what_is_no_personal_data_stays(text: str) -> None:
    for pattern in PATTERNS.values():
        assert FakeRules().try_definition(pattern.definition, text).masked == text


def test_a_tenants_own_entity_is_a_rule_by_its_pattern() -> None:
    own = TenantEntity(name="member", pattern=r"M-[0-9]{6}")
    rules = wanted(RedactionRules(entities=("email",), entity=(own,)))
    assert rules.rules[-1] == replace(
        rules.rules[0], name=f"{PREFIX}member", definition=r"M-[0-9]{6}"
    )
    assert rules.left_out == {}


@pytest.mark.parametrize(
    ("own", "why"),
    [
        (TenantEntity(name="lei", pattern="[0-9A-Z]{20}", checksum="mod97"), "checksum"),
        (TenantEntity(name="member", pattern="[0-9]{6}", context=("member",)), "context"),
    ],
)
def test_an_entity_that_its_pattern_alone_does_not_tell_is_left_out(
    own: TenantEntity, why: str
) -> None:
    rules = wanted(RedactionRules(entities=("email",), entity=(own,)))
    assert [rule.name for rule in rules.rules] == [f"{PREFIX}email"]
    assert why in rules.left_out[own.name]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], Plan(create=(EMAIL,))),
        ([there(EMAIL)], Plan(kept=(there(EMAIL),))),
        ([there(EMAIL, definition="x")], Plan(change=(there(EMAIL),))),
        ([there(EMAIL, enabled=False)], Plan(change=(there(EMAIL),))),
        ([there(EMAIL), there(SSN, "s")], Plan(kept=(there(EMAIL),), delete=(there(SSN, "s"),))),
        (
            [there(EMAIL), there(EMAIL, "2")],
            Plan(kept=(there(EMAIL),), delete=(there(EMAIL, "2"),)),
        ),
        ([FOREIGN], Plan(create=(EMAIL,), foreign=(FOREIGN,))),
    ],
)
def test_the_plan_makes_ours_as_wanted_and_leaves_others_alone(
    rules: list[MaskingRule], expected: Plan
) -> None:
    assert plan([EMAIL], rules) == expected


def test_a_plan_that_was_carried_out_leaves_nothing_to_do() -> None:
    genesys: MaskingRules = FakeRules(
        rules=[there(EMAIL, "e", enabled=False), there(SSN, "s", name=f"{PREFIX}old"), FOREIGN]
    )
    wants = [EMAIL, SSN]
    assert carry_out(plan(wants, genesys.masking_rules()), genesys) == []
    after = plan(wants, genesys.masking_rules())
    assert after.empty
    assert after.foreign == (FOREIGN,)


def test_a_rule_takes_over_the_definition_of_one_that_goes() -> None:
    genesys = FakeRules(
        rules=[
            there(EMAIL, "e", definition="x"),
            there(SSN, "s", definition=EMAIL.definition),
        ]
    )
    assert carry_out(plan([EMAIL], genesys.masking_rules()), genesys) == []
    assert genesys.rules == [there(EMAIL, "e")]


def test_what_somebody_elses_rule_masks_already_is_told_and_not_made() -> None:
    theirs = replace(FOREIGN, definition=EMAIL.definition)
    genesys = FakeRules(rules=[theirs])
    assert carry_out(plan([EMAIL, SSN], genesys.masking_rules()), genesys) == [EMAIL]
    assert [rule.name for rule in genesys.rules] == ["Cards", SSN.name]


def test_a_rule_that_is_refused_or_masks_nothing_is_told_before_any_change() -> None:
    broken, idle = replace(EMAIL, definition="("), replace(SSN, definition="x")
    genesys = FakeRules()
    assert refusals([broken, idle], genesys) == {
        EMAIL.name: "regex.invalid",
        SSN.name: "masks nothing in a text that it is made for",
    }
    assert genesys.calls == []
