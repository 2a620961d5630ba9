"""Whether everything came as planned: every message accounted for, every effect exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from workers.demo.effects import Effect
from workers.demo.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is missing and what is surplus, one line each; a good one has none of it."""

    problems: tuple[str, ...]
    messages: int
    #: How many of the messages came from events.
    told: int
    effects: int

    @property
    def good(self) -> bool:
        return not self.problems


def judge(
    plan: Plan,
    *,
    ended: Mapping[str, str],
    effects: Iterable[Effect],
    recorded: Collection[str],
    parked: Iterable[str],
) -> Verdict:
    """Compare `plan` with what happened.

    `ended` is the status by message id, `recorded` the ids of operations or messages in the audit
    record, `parked` the message ids of dead letters.
    """
    happened = Counter(effects)
    problems = (
        *_messages(plan, ended),
        *_effects(plan.effects(), happened),
        *_unrecorded(plan, recorded),
        *_strangers("audit", recorded, plan),
        *_strangers("dead letters", parked, plan),
    )
    told = sum(each.operation_id in ended for each in plan.happenings)
    return Verdict(problems=problems, messages=len(ended), told=told, effects=happened.total())


def _messages(plan: Plan, ended: Mapping[str, str]) -> Iterator[str]:
    for planned in plan.planned:
        for message_id, task, endings in planned.expected():
            status = ended.get(message_id)
            if status is None:
                yield f"message {message_id} ({task}): lost, it has neither result nor dead letter"
            elif status not in endings:
                expected = " or ".join(sorted(endings))
                yield f"message {message_id} ({task}): ended as {status}, expected {expected}"


def _effects(expected: Counter[Effect], happened: Counter[Effect]) -> Iterator[str]:
    for effect, times in sorted((expected - happened).items()):
        yield f"effect missing, {times} times: {effect}"
    for effect, times in sorted((happened - expected).items()):
        yield f"effect too much, {times} times: {effect}"


def _unrecorded(plan: Plan, recorded: Collection[str]) -> Iterator[str]:
    held = set(recorded)
    for planned in (each for each in plan.planned if each.errand.recorded):
        for operation_id, task in planned.operations():
            if operation_id not in held:
                yield f"audit: operation {operation_id} ({task}) has no record"


def _strangers(where: str, ids: Iterable[str], plan: Plan) -> Iterator[str]:
    known = {each.operation_id for each in plan.planned}
    known |= {name for each in plan.planned for name, _, _ in each.expected()}
    for name in sorted(set(ids) - known):
        yield f"{where}: {name} was never asked for"
