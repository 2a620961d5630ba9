"""Masking rules by the `platform` contract, against the sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tasks.apis.genesys_platform.masking import PlatformMasking
from tasks.apis.masking_rules import MaskingRule, MaskingRules
from tasks.errors import StateChanged
from tasks.masking import carry_out, plan, refusals, wanted
from tasks.pii.rules import RedactionRules
from tests.support.platform import checked, connect
from workers.sandbox.testing import SandboxHandle

RULE = MaskingRule(name="Orders", definition="[0-9]{6}", description="Order numbers")
OURS = wanted(RedactionRules()).rules


@pytest.fixture
def genesys(sandbox: SandboxHandle) -> Iterator[MaskingRules]:
    for each in sandbox.ids("maskingRules"):
        PlatformMasking(http=connect(sandbox)).delete_masking_rule(each)
    with checked(connect(sandbox)) as http:
        yield PlatformMasking(http=http)


def test_an_organisation_without_rules_has_none(genesys: MaskingRules) -> None:
    assert list(genesys.masking_rules()) == []


def test_a_rule_is_made_changed_and_deleted(genesys: MaskingRules, sandbox: SandboxHandle) -> None:
    genesys.create_masking_rule(RULE)
    (made,) = genesys.masking_rules()
    assert made == replace(RULE, id=made.id)
    changed = replace(made, definition="[0-9]{8}", enabled=False, substitute="#")
    genesys.change_masking_rule(changed)
    assert list(genesys.masking_rules()) == [changed]
    genesys.delete_masking_rule(made.id)
    genesys.delete_masking_rule(made.id)
    assert list(genesys.masking_rules()) == []
    kinds = [each["kind"] for each in sandbox.effects(system="platform")]
    assert kinds[-3:] == ["maskingrule.created", "maskingrule.changed", "maskingrule.deleted"]


def test_a_definition_that_is_there_already_is_a_state_and_no_error_of_ours(
    genesys: MaskingRules,
) -> None:
    genesys.create_masking_rule(RULE)
    with pytest.raises(StateChanged, match=r"definition\.conflict"):
        genesys.create_masking_rule(replace(RULE, name="Others"))


@pytest.mark.parametrize(
    ("definition", "refusal"), [("(", "regex.invalid"), ("(a{1,9}){1,9}", "repeats what repeats")]
)
def test_a_trial_tells_what_is_refused(
    genesys: MaskingRules, definition: str, refusal: str
) -> None:
    assert refusal in genesys.try_definition(definition, "text").refusal


def test_a_trial_masks_and_changes_nothing(genesys: MaskingRules, sandbox: SandboxHandle) -> None:
    before = len(sandbox.effects())
    assert genesys.try_definition("[0-9]{3}", "no 123").masked == "no ***"
    assert len(sandbox.effects()) == before


def test_our_rules_are_accepted_made_and_then_as_wanted(genesys: MaskingRules) -> None:
    genesys.create_masking_rule(RULE)
    assert refusals(OURS, genesys) == {}
    first = plan(OURS, genesys.masking_rules())
    assert first.create == OURS
    assert carry_out(first, genesys) == []
    then = plan(OURS, genesys.masking_rules())
    assert then.empty
    assert [rule.name for rule in then.foreign] == ["Orders"]
