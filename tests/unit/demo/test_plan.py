from __future__ import annotations

from collections import Counter

import pytest

from tasks.messages import PUBLIC, parse
from workers.demo.effects import observed
from workers.demo.errand import REJECTED
from workers.demo.plan import Plan, make_plan


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(seed=7, messages=400)


def test_equal_seeds_make_equal_plans(plan: Plan) -> None:
    assert make_plan(seed=7, messages=400) == plan
    assert make_plan(seed=8, messages=400) != plan


def test_every_public_task_is_in_the_plan(plan: Plan) -> None:
    assert set(PUBLIC) <= set(plan.operations())


@pytest.mark.parametrize("messages", [20, 400, 2_000])
def test_a_plan_is_about_as_large_as_it_was_asked_for(messages: int) -> None:
    assert messages <= make_plan(seed=7, messages=messages).messages <= messages * 1.3


def test_no_two_messages_share_an_id_except_the_same_one_delivered_twice(plan: Plan) -> None:
    owners: dict[str, str] = {}
    for planned in plan.planned:
        for name in planned.message_ids:
            assert owners.setdefault(name, planned.operation_id) == planned.operation_id


def test_messages_that_are_to_be_carried_out_are_valid(plan: Plan) -> None:
    for planned in plan.planned:
        if planned.errand.endings != REJECTED:
            parse(PUBLIC[planned.errand.task], planned.arguments())


def test_what_the_bridge_is_to_send_happens_once_in_the_sandbox(plan: Plan) -> None:
    tasks = Counter(each.errand.task for each in plan.happenings)
    assert tasks.keys() == {"redact_interaction", "sync_profile"}
    assert all(each.message_ids == (each.operation_id,) for each in plan.happenings)
    assert len({each.operation_id for each in plan.happenings}) == len(plan.happenings)


def test_the_contacts_that_are_merged_are_named_by_their_organisation(plan: Plan) -> None:
    contacts = plan.contacts()
    assert contacts.keys() == {"default", "acme"}
    for errand in (each.errand for each in plan.happenings):
        if errand.happening and errand.happening.contact:
            assert errand.happening.contact in contacts[errand.organization]
            assert errand.happening.contact in {each.id for each in errand.documents}


def test_the_plan_has_duplicates_of_both_sorts_from_both_producers(plan: Plan) -> None:
    twice = [each for each in plan.planned if len(each.message_ids) == 2]
    sorts = {(each.by_us, len(set(each.message_ids))) for each in twice}
    assert sorts == {(True, 1), (False, 1), (False, 2)}


def test_every_expected_effect_is_expected_once_for_its_subject(plan: Plan) -> None:
    repeated = [effect for effect, times in plan.effects().items() if times > 1]
    kinds = Counter(effect.kind for effect in repeated)
    assert kinds == {}


def test_a_write_that_was_repeated_with_equal_values_is_no_effect() -> None:
    record = {
        "organization": "default",
        "kind": "customer.attributes",
        "subject": "c-1",
        "detail": {"names": ["tier"], "changed": [], "sha256": {"tier": "00"}},
    }
    assert observed(record) is None
    changed = {**record, "detail": {**record["detail"], "changed": ["tier"]}}  # type: ignore[dict-item]  # an object
    seen = observed(changed)
    assert seen is not None
    assert seen.facts == ("tier=00",)
