"""Whether Redis takes our scripts."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

import redis

from workers.doctor.finding import Finding, bad, ok
from workers.store import Store


def loaded(store: Store) -> Iterator[Finding]:
    """Find the scripts that Redis does not take; taking one does not run it."""
    files = resources.files("workers.scripts").iterdir()
    names = sorted(each.name.removesuffix(".lua") for each in files if each.name.endswith(".lua"))
    refused = {name: error for name in names if (error := _refusal(store, name))}
    if refused:
        name, error = next(iter(refused.items()))
        yield bad(
            f"{len(refused)} of {len(names)} scripts are refused, {name}: {error}",
            "allow the user SCRIPT and EVALSHA; use a Redis that runs Lua",
        )
    else:
        yield ok(f"{len(names)} scripts")


def _refusal(store: Store, name: str) -> str | None:
    try:
        store.load(name)
    except redis.ResponseError as error:
        return type(error).__name__
    return None
