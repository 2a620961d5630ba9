"""The two tenants of the demonstration, each with the sandbox's organisation of its name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

DEFAULT, ACME = "default", "acme"


def in_turn() -> Iterator[str]:
    """Yield the tenants for ever, two messages of the first for one of the second."""
    return cycle((DEFAULT, DEFAULT, ACME))
