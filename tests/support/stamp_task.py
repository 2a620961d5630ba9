"""A task of the tests' own that a real worker runs: it notes when its message was claimed.

Workers import it by `--include`; it needs their environment. `tests.support.stamping` is its other
side.
"""

from __future__ import annotations

import json
import time
from typing import Any

from workers.app import app


@app.task(  # type: ignore[untyped-decorator]  # Celery has no hints for it
    bind=True, name="stamp", acks_late=True, Request="workers.consuming.masking:MaskedRequest"
)
def stamp(self: Any, name: str, seconds: float = 0.0) -> None:
    """Note the claim by the clock of Redis, and be busy for so many seconds."""
    told = [name, self.request.delivery_info["routing_key"], self.request.claimed]
    app.services.store.redis.rpush("stamps", json.dumps(told))
    time.sleep(seconds)
