"""Whether Redis keeps what it has been told: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import redis

from workers.doctor.finding import Finding, bad, ok, warn

#: What `INFO persistence` tells of the last attempt to write → what has failed.
ATTEMPTS = {
    "aof_last_write_status": "the last write to the AOF",
    "aof_last_bgrewrite_status": "the last rewrite of the AOF",
    "rdb_last_bgsave_status": "the last snapshot",
}


def persisted(client: redis.Redis) -> Iterator[Finding]:
    """Find what a restart of Redis would lose, and whether it can write to its disk."""
    about: Any = client.info("persistence")
    yield _logged(client) if about.get("aof_enabled") else _unlogged()
    for name, what in ATTEMPTS.items():
        if about.get(name, "ok") != "ok":
            yield bad(
                f"{what} failed", "see the log of Redis; give its disk space and the right to write"
            )


def _unlogged() -> Finding:
    return bad(
        "no append-only file: a restart of Redis loses messages and what was done already",
        "set appendonly yes and appendfsync always in redis.conf",
    )


def _logged(client: redis.Redis) -> Finding:
    match _appendfsync(client):
        case "always":
            return ok("append-only file, each write is on disk before it is answered")
        case "everysec":
            return warn(
                "append-only file, appendfsync everysec: a crash loses the last second",
                "set appendfsync always where nothing may be lost",
            )
        case "no":
            return bad(
                "append-only file, appendfsync no: a crash loses what the system had not written",
                "set appendfsync always, or everysec",
            )
        case _:
            return ok("append-only file; Redis does not tell how often it is written")


def _appendfsync(client: redis.Redis) -> str | None:
    """Return the setting; None where an ACL or a provider keeps `CONFIG` to itself."""
    try:
        told: Any = client.config_get("appendfsync")
    except redis.ResponseError:
        return None
    return str(told["appendfsync"]) if "appendfsync" in told else None
