"""What one look has found, and what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

#: `warn` works, with less than was promised or only as far as nobody needs more; `bad` has to be
#: mended.
State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding. Neither text holds a secret or personal data."""

    state: State
    what: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A look at one thing. Where a `basis` is not found to be ok, those after it are left out."""

    name: str
    look: Callable[[], Iterable[Finding]]
    basis: bool = False


def ok(what: str) -> Finding:
    return Finding(state="ok", what=what)


def warn(what: str, remedy: str) -> Finding:
    return Finding(state="warn", what=what, remedy=remedy)


def bad(what: str, remedy: str) -> Finding:
    return Finding(state="bad", what=what, remedy=remedy)
