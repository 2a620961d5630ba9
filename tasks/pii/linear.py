"""Whether a pattern takes time in proportion to the text, whatever the text is.

The rule: every repeat has an upper bound, nothing refers back to a group, and the choices that
could have to be tried from one place multiply to at most 1,000 steps. Then a search takes at most
that many steps for each character of a text.
"""

from __future__ import annotations

import re

# The parser of `re` is private, and the only way to check exactly what will run.
import re._parser as parser  # type: ignore[import-not-found]  # it has no type hints
from collections.abc import Iterable
from typing import Any

MAX_STEPS = 1_000

_REPEATS = (parser.MAX_REPEAT, parser.MIN_REPEAT, parser.POSSESSIVE_REPEAT)
_REFERENCES = (parser.GROUPREF, parser.GROUPREF_EXISTS)
_LOOKS = (parser.ASSERT, parser.ASSERT_NOT)


class Unfit(ValueError):
    """Raised for a pattern that cannot be used; says why, and what to write instead."""


def compiled(pattern: str) -> re.Pattern[str]:
    """Return the compiled `pattern`; raise `Unfit` where it is wrong, empty or could be slow."""
    try:
        parsed = parser.parse(pattern)
        found = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise Unfit(f"does not compile ({error})") from None
    if parsed.getwidth()[0] == 0:
        raise Unfit("could match the empty text")
    if _cost(parsed)[1] > MAX_STEPS:
        raise Unfit(f"could take more than {MAX_STEPS:,} steps from one place: repeat less")
    return found


def _cost(parts: Iterable[tuple[Any, Any]]) -> tuple[int, int]:
    """Return in how many ways these parts can match from one place, and in how many steps.

    What follows a part is tried once for each way in which that part matches.
    """
    ways, steps = 1, 0
    for operation, argument in parts:
        own_ways, own_steps = _cost_of(operation, argument)
        steps += ways * own_steps
        ways *= own_ways
        if steps > MAX_STEPS:
            break
    return ways, steps


def _cost_of(operation: Any, argument: Any) -> tuple[int, int]:
    if operation in _REPEATS:
        return _repeated(*argument)
    if operation is parser.BRANCH:
        costs = [_cost(each) for each in argument[1]]
        return sum(ways for ways, _ in costs), sum(steps for _, steps in costs)
    if operation is parser.SUBPATTERN:
        return _cost(argument[-1])
    if operation is parser.ATOMIC_GROUP:
        return 1, _cost(argument)[1]
    if operation in _LOOKS:
        return 1, _cost(argument[1])[1]
    if operation in _REFERENCES:
        raise Unfit("refers back to a group: write out what it stands for")
    return 1, 1


def _repeated(least: int, most: int, parts: Any) -> tuple[int, int]:
    if most is parser.MAXREPEAT:
        raise Unfit("has a repeat without an upper bound: write {1,20} instead of +")
    own_ways, own_steps = _cost(parts)
    ways, steps = (1 if least == 0 else 0), 0
    tried = 1
    for number in range(1, most + 1):
        steps += tried * max(own_steps, 1)
        tried *= own_ways
        ways += tried if number >= least else 0
        if steps > MAX_STEPS:
            break
    return ways, steps
