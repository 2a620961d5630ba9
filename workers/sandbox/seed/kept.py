"""Seeded organisations, kept per seed: copying them is much faster than making them."""

from __future__ import annotations

import pickle
import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from workers.sandbox import seed
from workers.sandbox.cognigy import seed as cognigy_seed
from workers.sandbox.cxone_digital import seed as cxone_seed
from workers.sandbox.platform import seed as platform_seed
from workers.sandbox.world import Organization


class _Copied(Organization):
    """An organisation whose documents of a kind are copied when they are first asked for."""

    def __init__(self, kept: Mapping[str, bytes]) -> None:
        self._kept = kept

    def __getattr__(self, kind: str) -> Any:
        if kind == "_kept" or kind not in self._kept:
            raise AttributeError(kind)
        copied = pickle.loads(self._kept[kind])  # noqa: S301  # what was pickled right here
        setattr(self, kind, copied)
        return copied


def organizations(chance: str) -> tuple[dict[str, Organization], random.Random]:
    """The organisations that `chance` makes, and the source of chance that goes on after them.

    Both are the caller's own.
    """
    kept, state = _made(chance)
    rng = random.Random()
    rng.setstate(state)
    return {name: _Copied(kinds) for name, kinds in kept.items()}, rng


@lru_cache(maxsize=8)
def _made(chance: str) -> tuple[dict[str, dict[str, bytes]], tuple[Any, ...]]:
    rng = random.Random(chance)
    made = seed.organizations(rng)
    platform_seed.fill(f"{chance}:platform", made)
    for name, organization in made.items():
        cxone_seed.add(random.Random(f"{chance}:{name}:dfo"), organization)
        cognigy_seed.add(random.Random(f"{chance}:{name}:cognigy"), organization)
    return {name: _pickled(each) for name, each in made.items()}, rng.getstate()


def _pickled(organization: Organization) -> dict[str, bytes]:
    return {kind: pickle.dumps(documents) for kind, documents in vars(organization).items()}
