"""Ids as Cognigy.AI makes them."""

from __future__ import annotations

import random
import re

#: What the vendor's API reference demands of an id.
ID = re.compile(r"[a-z0-9]{24}")


def new_id(rng: random.Random) -> str:
    """24 characters of 0-9 and a-f."""
    return f"{rng.getrandbits(96):024x}"
