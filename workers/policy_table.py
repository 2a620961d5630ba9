"""The error policy as a table, for people: the README's appendix and the command line show it."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.errors import Postponed, RateLimited
from workers.policy import POLICY, UNEXPECTED, Rule

HEADINGS = ("Answer", "Meaning", "Comes back after", "Tries", "Ends as")


def rows(rules: Iterable[Rule] = POLICY) -> list[tuple[str, ...]]:
    """Return one row of texts per rule, and one for faults of our own, under `HEADINGS`."""
    return [
        (rule.answer, rule.meaning, _wait(rule), _tries(rule), rule.ends_as.status)
        for rule in (*rules, UNEXPECTED)
    ]


def markdown() -> str:
    """Return the table in Markdown."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *rows()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _wait(rule: Rule) -> str:
    if rule.cause is Postponed:
        return "the time it needs"
    if rule.cause is RateLimited:
        return f"Retry-After, else {rule.first_wait:g} s"
    if rule.tries is None:
        return "–"
    return f"{rule.first_wait:g} s · 2ⁿ with jitter, at most {rule.longest_wait:g} s"


def _tries(rule: Rule) -> str:
    tries = str(rule.tries or 1) if rule.counts else "uses up none"
    return f"{tries}, for {rule.deadline / 3600:g} h" if rule.deadline else tries
