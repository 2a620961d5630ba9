"""When operations were at work on the outside systems, as the sandbox's journal tells it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

from workers.sandbox.testing import SandboxHandle

#: Seconds at most in which a request is read, less than any call takes that a test slows down.
READING = 0.04


@dataclass(frozen=True, kw_only=True, order=True)
class Span:
    """From the arrival of an operation's first call to the answer of its last, epoch seconds."""

    begin: float
    end: float
    operation: str


def spans(sandbox: SandboxHandle, operations: Collection[str]) -> list[Span]:
    """Return when each of `operations` was at work, the earliest first."""
    times: dict[str, list[float]] = defaultdict(list)
    for call in sandbox.journal():
        if call["correlation_id"] in operations:
            times[call["correlation_id"]] += [call["at"], call["at"] + call["ms"] / 1000]
    return sorted(
        Span(begin=min(moments), end=max(moments), operation=name)
        for name, moments in times.items()
    )


def overlaps(found: list[Span]) -> list[tuple[str, str]]:
    """Return the operations that began before one that began earlier had ended."""
    pairs = pairwise(found)
    # The sandbox dates a request that it has read, and measures its length from its first byte: the
    # end is too late by as long as the client took in between.
    return [(a.operation, b.operation) for a, b in pairs if b.begin < a.end - READING]
