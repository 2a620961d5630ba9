"""Looks at one thing after the other, and says what it has found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import redis

from workers.doctor.finding import Check, Finding, bad
from workers.store import INFRASTRUCTURE

Row = tuple[str, Finding]


def looked(checks: Iterable[Check], doing: Callable[[str], None]) -> Iterator[Row]:
    """Yield the findings of each check by its name; `doing` is told the name before it looks."""
    for check in checks:
        doing(check.name)
        findings = list(_found(check))
        yield from ((check.name, finding) for finding in findings)
        if check.basis and any(finding.state != "ok" for finding in findings):
            return


def _found(check: Check) -> Iterator[Finding]:
    try:
        yield from check.look()
    except redis.exceptions.NoPermissionError as error:
        yield bad(f"Redis refuses a command: {error}", "let the ACL's user of REDIS_URL do that")
    except (*INFRASTRUCTURE, redis.ResponseError) as error:
        yield bad(f"Redis: {type(error).__name__}", "see what its own log says")
