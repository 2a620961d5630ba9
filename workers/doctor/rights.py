"""Whether the user of `REDIS_URL` may do what workers do.

It is tried, since a user that may ask for its own rules (`ACL DRYRUN`, `ACL GETUSER`) has more
rights than workers need. What is tried works on a key of its own that nobody reads, or leaves its
key as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import uuid4

import redis

from workers.doctor.finding import Finding, bad, ok
from workers.limits.priority import lists
from workers.store import key

Command = tuple[str | int, ...]

#: Milliseconds that a key of ours lives, should nobody delete it.
LIFE = 10_000


def allowed(client: redis.Redis, queues: Sequence[str]) -> Iterator[Finding]:
    """Find the commands and keys that Redis refuses this user."""
    commands = [*_on_our_keys(), *_on_queues(queues), *_of_celery()]
    with client.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py's own
        answers = pipeline.execute(raise_on_error=False)
    refused = [
        f"{command[0]} {command[1]}" if len(command) > 1 else str(command[0])
        for command, answer in zip(commands, answers, strict=True)
        if _is_refusal(answer)
    ]
    if refused:
        shown = ", ".join(_named(each) for each in refused[:5])
        more = f" and {len(refused) - 5} more" if len(refused) > 5 else ""
        yield bad(
            f"the user {_user(client)} may not: {shown}{more}",
            "let its ACL have +@all -@admin -@dangerous +info +sort, ~* and &*, or what is named",
        )
    else:
        yield ok(f"the user {_user(client)} may do what workers do")


def _is_refusal(answer: object) -> bool:
    """Return whether the user may not do it; Redis 7 refuses an option of SORT in its own words."""
    return isinstance(answer, redis.exceptions.NoPermissionError) or (
        isinstance(answer, redis.ResponseError) and "ACL permissions" in str(answer)
    )


def _on_our_keys() -> Iterator[Command]:
    """Yield what scripts and workers do with keys of ours, on one that is there for this alone.

    It holds a text: what is for another type is refused for that, after the rights were looked at.
    """
    name = key("doctor", str(uuid4()))
    yield "SET", name, 1, "PX", LIFE
    for verb in ("GET", "EXISTS", "TYPE", "PTTL", "INCR"):
        yield verb, name
    yield from (("PEXPIRE", name, LIFE), ("EXPIRE", name, LIFE // 1000), ("RENAME", name, name))
    for verb in ("HGETALL", "HKEYS", "HLEN", "LLEN", "RPOP", "ZCARD"):
        yield verb, name
    for verb in ("HGET", "HDEL", "HMGET", "LPUSH", "LINDEX", "ZREM", "ZSCORE"):
        yield verb, name, 0
    for verb in ("HSET", "HSETNX", "HINCRBY", "ZADD"):
        yield verb, name, 0, 0
    for verb in ("ZRANGE", "ZCOUNT", "ZRANGEBYSCORE", "ZREMRANGEBYSCORE", "XRANGE", "XREVRANGE"):
        yield verb, name, 0, 0
    yield from (("XADD", name, "*", "a", "b"), ("SORT", name, "BY", "nosort", "GET", "gw:*->a"))
    yield "DEL", name
    # No script has this digest; whether the user may run any is looked at first.
    yield "EVALSHA", "0" * 40, 0


def _on_queues(queues: Sequence[str]) -> Iterator[Command]:
    """Yield a look at each list of messages, and a write that takes none of them off."""
    for name in (each for queue in queues for each in lists(queue)):
        yield "LLEN", name
        yield "RPOP", name, 0


def _of_celery() -> Iterator[Command]:
    """Yield what Celery does besides: results, events, remote control."""
    result = f"celery-task-meta-{uuid4()}"
    yield "SETEX", result, 1, "{}"
    yield "PUBLISH", result, "{}"
    yield "DEL", result
    yield "SISMEMBER", "_kombu.binding.celery.pidbox", ""
    yield from (("TIME",), ("SCAN", 0, "COUNT", 1), ("INFO", "server"))


def _named(command: str) -> str:
    """Return a command without the id that ends the key it was tried on."""
    head, _, _ = command.partition(key("doctor"))
    return f"{head}{key('*')}" if head != command else command


def _user(client: redis.Redis) -> str:
    try:
        name = client.acl_whoami()
    except redis.ResponseError:
        return "of REDIS_URL"
    return name.decode() if isinstance(name, bytes) else str(name)
