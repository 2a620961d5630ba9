"""Messages as no client sends them: good ones, broken in their bytes, their envelope or their body.

They are made from a seed; every message has an id of its own, unless that is what is broken.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from tests.support.raw_messages import raw

CONVERSATION = "a-call"

#: Arguments that are right, by task.
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "set_attributes": {"conversation_id": CONVERSATION, "attributes": {"tier": "gold"}},
    "merge_profiles": {"source_profile_ids": ["nobody-1"], "target_profile_id": "nobody-2"},
    "sync_profile": {"contact_id": "nobody"},
    "redact_interaction": {"interaction_id": "nothing"},
}

JUNK: tuple[Any, ...] = (
    None, True, -1, 1e308, 2**70, "", "\x00", "ü" * 300, "../../x", [], {}, [[]], {"a": {"b": []}},
    "not a moment", "0000-00-00T00:00:00", [None, None], {"__type__": "x"},
)  # fmt: skip

HEADERS = (
    "task", "id", "root_id", "parent_id", "group", "retries", "expires", "timelimit", "eta", "lang",
    "argsrepr", "kwargsrepr", "origin", "shadow", "stamps", "group_index", "replaced_task_nesting",
)  # fmt: skip

PROPERTIES = (
    "correlation_id", "reply_to", "delivery_mode", "delivery_info", "priority", "body_encoding",
    "delivery_tag",
)  # fmt: skip

Fields = dict[str, Any]
Breaker = Callable[[random.Random], bytes]


def whole(rng: random.Random, **changes: Any) -> bytes:
    """Return a good message; `changes` as `raw` takes them."""
    task, arguments = rng.choice(list(ARGUMENTS.items()))
    changes["headers"] = {"task": task, "id": new_id(rng), **changes.get("headers", {})}
    return raw(changes.pop("body", [[], dict(arguments), {}]), **changes)


def new_id(rng: random.Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def truncated(rng: random.Random) -> bytes:
    message = whole(rng)
    return message[: rng.randrange(len(message))]


def flipped(rng: random.Random) -> bytes:
    message = bytearray(whole(rng))
    for _ in range(rng.randint(1, 8)):
        message[rng.randrange(len(message))] ^= 1 << rng.randrange(8)
    return bytes(message)


def spliced(rng: random.Random) -> bytes:
    """A piece is cut out, doubled, or replaced by noise."""
    message = whole(rng)
    start, length = rng.randrange(len(message)), rng.randint(1, 40)
    piece = message[start : start + length]
    return message[:start] + rng.choice((b"", piece * 2, rng.randbytes(length))) + message[
        start + length :
    ]  # fmt: skip


def noise(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randint(0, 400))


def wrong_content_type(rng: random.Random) -> bytes:
    kinds = ("application/x-python-serialize", "application/x-yaml", "text/plain", "", None, 7)
    return whole(rng, changes={"content-type": rng.choice(kinds)})


def wrong_encoding(rng: random.Random) -> bytes:
    if rng.random() < 0.5:
        kinds: tuple[Any, ...] = ("utf-16", "latin-1", "binary", "no-such-codec", "", None, [])
        return whole(rng, changes={"content-encoding": rng.choice(kinds)})
    return whole(rng, properties={"body_encoding": rng.choice(("hex", "gzip", "", None, 1))})


def huge(rng: random.Random) -> bytes:
    long = "x" * rng.choice((300_000, 1_200_000, 2_000_000))
    return whole(rng, body=[[], {"conversation_id": long}, {}])


def unknown_task(rng: random.Random) -> bytes:
    names = ("make_coffee", "set_attributes ", "tasks.set_attributes", "confirm", "SET")
    return whole(rng, headers={"task": rng.choice(names)})


def first_protocol(rng: random.Random) -> bytes:
    """A message as Celery 3 has sent it: all of it in the body."""
    task, arguments = rng.choice(list(ARGUMENTS.items()))
    body = {"task": task, "id": new_id(rng), "args": [], "kwargs": dict(arguments), "retries": 0}
    message: Fields = json.loads(whole(rng, body=body))
    message["headers"] = {}
    return json.dumps(message).encode()


def nested(rng: random.Random) -> bytes:
    levels = rng.choice((70, 500, 5_000))
    deep = "[" * levels + "]" * levels
    if rng.random() < 0.5:
        return whole(rng, body=f'[[], {{"conversation_id": {deep}}}, {{}}]'.encode())
    return whole(rng, headers={"stamps": "DEEP"}).replace(b'"DEEP"', deep.encode())


def wrong_header(rng: random.Random) -> bytes:
    return whole(rng, headers={rng.choice(HEADERS): rng.choice(JUNK)})


def wrong_property(rng: random.Random) -> bytes:
    return whole(rng, properties={rng.choice(PROPERTIES): rng.choice(JUNK)})


def wrong_part(rng: random.Random) -> bytes:
    parts = ("body", "headers", "properties", "content-type", "content-encoding")
    if rng.random() < 0.5:
        return whole(rng, without=[rng.choice(parts)])
    return whole(rng, changes={rng.choice(parts): rng.choice(JUNK)})


def wrong_body(rng: random.Random) -> bytes:
    bodies: tuple[Any, ...] = (
        [], [[], {}], [[], {}, {}, {}], [{}, [], {}], [[1, 2], {}, {}], "text", {"a": 1}, 7, None,
        [[], {}, {"callbacks": 1}], [[], {}, {"chain": "x"}], [[], {}, {"chord": [1]}],
        [[], {}, []], [[], {"a": "\ud800"}, {}],
    )  # fmt: skip
    if rng.random() < 0.3:
        text = base64.b64encode(rng.randbytes(rng.randint(0, 60))).decode()
        return whole(rng, changes={"body": text[: rng.randint(0, len(text))]})
    return whole(rng, body=rng.choice(bodies))


def wrong_argument(rng: random.Random) -> bytes:
    task, right = rng.choice(list(ARGUMENTS.items()))
    name = rng.choice([*right, "tenant", "operation_id", "correlation_id", "surprise"])
    arguments = {**right, name: rng.choice(JUNK)}
    return whole(rng, headers={"task": task}, body=[[], arguments, {}])


#: What may be wrong, and how often; a huge one is much to write.
BREAKERS: Mapping[Breaker, int] = {
    truncated: 12, flipped: 24, spliced: 12, noise: 6, wrong_content_type: 5, wrong_encoding: 5,
    huge: 0, unknown_task: 5, first_protocol: 3, nested: 3, wrong_header: 12, wrong_property: 6,
    wrong_part: 6, wrong_body: 8, wrong_argument: 12,
}  # fmt: skip


def fuzzed(rng: random.Random, many: int, large: int) -> Iterator[bytes]:
    """Yield so many messages, `large` of them huge, in no order."""
    chosen = rng.choices(list(BREAKERS), list(BREAKERS.values()), k=many - large)
    chosen += [huge] * large
    rng.shuffle(chosen)
    for broken in chosen:
        yield broken(rng)
