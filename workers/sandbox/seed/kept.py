"""Seeded organisations, kept per seed: copying them is ten times as fast as making them."""

from __future__ import annotations

import pickle
import random
from functools import lru_cache

from workers.sandbox import seed
from workers.sandbox.cognigy import seed as cognigy_seed
from workers.sandbox.cxone_digital import seed as cxone_seed
from workers.sandbox.platform import seed as platform_seed
from workers.sandbox.world import Organization


def organizations(chance: str) -> tuple[dict[str, Organization], random.Random]:
    """The organisations that `chance` makes, and the source of chance that goes on after them.

    Both are the caller's own.
    """
    copied: tuple[dict[str, Organization], random.Random]
    copied = pickle.loads(_made(chance))  # noqa: S301  # what was pickled right here
    return copied


@lru_cache(maxsize=8)
def _made(chance: str) -> bytes:
    rng = random.Random(chance)
    made = seed.organizations(rng)
    platform_seed.fill(f"{chance}:platform", made)
    for name, organization in made.items():
        cxone_seed.add(random.Random(f"{chance}:{name}:dfo"), organization)
        cognigy_seed.add(random.Random(f"{chance}:{name}:cognigy"), organization)
    return pickle.dumps((made, rng))
