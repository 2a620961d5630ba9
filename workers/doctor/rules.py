"""Whether a tenant's rules can be read, who tells of what they are for, and who carries it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.errors import RulesError
from workers.app import Services
from workers.bridge.judging import rules
from workers.bridge.judging.patterns import Patterns
from workers.bridge.judging.rules import Rule, RuleSet
from workers.bridge.listening.topics import Topics, topics_of
from workers.bridge.settings import BridgeSettings
from workers.doctor.finding import Finding, bad, ok, warn
from workers.embedded.program import program
from workers.watching.status import look

#: Topics that are named in one finding at most.
FEW = 3


@dataclass(frozen=True, kw_only=True)
class Listening:
    """What a tenant's bridge listens to: its settings, its rules, and the topics of both."""

    tenant: str
    settings: BridgeSettings
    rules: RuleSet
    topics: Topics


def listening(tenant: str, settings: BridgeSettings) -> Listening:
    """Return what a bridge listens to. Raises `RulesError`: none starts with such rules."""
    found = rules.chosen(settings.rules)
    topics = topics_of(settings, found)
    return Listening(tenant=tenant, settings=settings, rules=found, topics=topics)


def refused(error: RulesError) -> Iterator[Finding]:
    """Find what is wrong with the rules."""
    yield bad(
        str(error),
        f"mend it; {program()} bridge test-rules FILE --event EVENT shows what comes of events",
    )


def heard(what: Listening) -> Iterator[Finding]:
    """Find what each rule listens for, those of which nobody tells, and topics without a rule."""
    wanted = Patterns((rule.topic, rule.name) for rule in what.rules if rule.enabled)
    told = {name for topic in what.topics.wanted for name, _ in wanted.of(topic)}
    for rule in what.rules:
        yield _rule(rule, what.settings, told=rule.name in told)
    if idle := what.topics.idle:
        yield warn(
            f"no rule is for {named(idle)}", "add a rule, or take them out of [tenants.NAME.bridge]"
        )


def _rule(rule: Rule, settings: BridgeSettings, *, told: bool) -> Finding:
    said = f"{rule.name}: {rule.topic} → {rule.task}"
    if not rule.enabled:
        return ok(f"{said}; it is off")
    if told or settings.secret:
        return ok(said)
    # Whoever has no rules of their own need not use all of those that are shipped.
    found = warn if settings.rules else _without_remedy
    return found(
        f"{said}; nobody tells of it",
        "name ids or topics for it in [tenants.NAME.bridge], or give that a secret for EventBridge",
    )


def _without_remedy(what: str, _: str) -> Finding:
    return ok(what)


def carried_out(services: Services, what: Listening) -> Iterator[Finding]:
    """Find the rules whose messages no worker would read."""
    seen = look(services)
    readers = {queue.name: queue.readers for queue in seen.queues}
    by_queue: dict[str, list[str]] = {}
    for rule in what.rules:
        queue = services.queue_of(rule.task, {"tenant": what.tenant}) if rule.enabled else None
        if queue:
            by_queue.setdefault(queue, []).append(rule.name)
    unread = {queue: names for queue, names in by_queue.items() if not readers[queue]}
    # That no worker is alive is told already.
    if not unread or not any(worker.alive for worker in seen.workers):
        yield ok(f"messages go to {', '.join(by_queue)}")
        return
    for queue, names in unread.items():
        yield bad(
            f"no worker reads {queue}, where the messages of {', '.join(names)} go",
            f"start a worker for it: {program()} worker --queues {queue}",
        )


def named(topics: tuple[str, ...]) -> str:
    """Return the first few of many topics, and how many there are besides."""
    more = len(topics) - FEW
    return ", ".join(topics[:FEW]) + (f" and {more} more" if more > 0 else "")
