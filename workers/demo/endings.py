"""How messages have ended, as the system itself tells: by their results and dead letters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workers.app import Services

BATCH = 1_000


def endings(services: Services, message_ids: Sequence[str]) -> Mapping[str, str]:
    """Return the status by the id of every message that has ended.

    A message that failed has not ended before its dead letter is there.
    """
    letters = {
        letter.id.partition(":")[2]: letter.status for letter in services.dead_letters.letters()
    }
    found = {name: letters[name] for name in message_ids if name in letters}
    for message_id, meta in _results(services, message_ids):
        if meta["status"] == "SUCCESS":
            found[message_id] = meta["result"]["status"]
    return found


def _results(services: Services, message_ids: Sequence[str]) -> Iterator[tuple[str, Any]]:
    key_of = services.app.backend.get_key_for_task  # type: ignore[attr-defined]  # of key-value backends
    for start in range(0, len(message_ids), BATCH):
        batch = message_ids[start : start + BATCH]
        metas: Any = services.store.redis.mget([key_of(each) for each in batch])
        for message_id, meta in zip(batch, metas, strict=True):
            if meta is not None:
                yield message_id, json.loads(meta)
