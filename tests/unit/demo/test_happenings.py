"""What happens in the sandbox makes the events of which the bridge makes the plan's messages."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from workers.bridge.judging.matching import Wanted, judge
from workers.bridge.judging.rules import default_rules
from workers.bridge.reading.events import parse
from workers.demo import happenings
from workers.demo.ends import TEMPLATE, with_ends
from workers.demo.errand import Errand
from workers.demo.plan import Plan, told
from workers.demo.senders import happen
from workers.sandbox.testing import ManualClock, SandboxHandle, running

Kind = Callable[[random.Random, int], Iterator[Errand]]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxHandle]:
    with running(clock=ManualClock()) as sandbox:
        yield sandbox


@pytest.mark.parametrize("kind", [happenings.chats, happenings.calls, happenings.merges])
def test_each_happening_asks_for_its_errand_and_for_nothing_else(
    sandbox: SandboxHandle, kind: Kind
) -> None:
    since = max((each["seq"] for each in sandbox.events()), default=0)
    errands = list(kind(random.Random(1), 4))
    planned = []
    for errand in errands:
        assert errand.happening
        planned.append(told(errand, errand.happening))
        for each in errand.documents:
            sandbox.put(each.kind, each.id, dict(each.body), errand.organization)
    assert sandbox.events(since=since) == []
    for errand in errands:
        assert errand.happening
        happen(sandbox, errand, errand.happening)
    plan = with_ends(Plan(planned=tuple(planned)), sandbox.events(template=TEMPLATE))
    wanted = {each.message.operation_id: each for each in asked_for(sandbox, since)}
    assert wanted.keys() == {each.operation_id for each in plan.planned}
    for known in plan.planned:
        message, errand = wanted[known.operation_id].message, known.errand
        assert (message.task, message.tenant) == (errand.task, errand.organization)
        assert message.arguments().items() >= errand.arguments.items()


def asked_for(sandbox: SandboxHandle, since: int) -> Iterator[Wanted]:
    """The messages that the default rules make of what has happened."""
    now = datetime.fromtimestamp(ManualClock().now, UTC)
    for each in sandbox.events(since=since):
        event = parse(json.dumps(each["detail"]), "websocket")
        yield from judge(event, default_rules(), each["organization"], now).wanted


def test_a_chat_has_a_name_of_its_own_until_its_end_is_known() -> None:
    (errand,) = happenings.chats(random.Random(1), 1)
    assert errand.happening
    plan = Plan(planned=(told(errand, errand.happening),))
    (waiting,) = plan.planned
    assert waiting.operation_id == f"end-of-{errand.happening.subject}"
    assert with_ends(plan, []) == plan
    body = {"conversationId": errand.happening.subject, "eventTime": 1_800_000_000_000}
    (known,) = with_ends(plan, [{"detail": {"eventBody": body}}]).planned
    assert known.operation_id.startswith("event-")
    assert known.message_ids == (known.operation_id,)
