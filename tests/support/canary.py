"""A value that nobody may see, put wherever a producer or an outside system may put one."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from typing import Any

from redis import Redis

from tests.support.configuration import CONFIGURATION
from tests.support.contracts import Guide, Platform
from tests.support.raw_messages import raw
from workers.sandbox.testing import SandboxHandle

#: As an address, as a number that is written, and as a number.
MAIL, PHONE, NUMBER = "canary-7f3a@example.com", "+1 415 555 0173", 4155550173
TEXT = f"Jane ({MAIL}, {PHONE}, {NUMBER})"

#: What is left of them in whatever form they come out of a library.
_TRACES = ("canary-7f3a", "415 555 0173", "4155550173", "415%20555%200173", "415+555+0173")

#: The same in base64, wherever it begins.
_ENCODED = tuple(
    base64.b64encode(b"?" * before + b"canary-7f3a").decode()[-(-before * 4 // 3) : -4]
    for before in range(3)
)

Arguments = dict[str, Any]


def traces(text: str) -> list[str]:
    """Return what is seen of the canary in a text, with what stands around it."""
    found = (text.find(each) for each in (*_TRACES, *_ENCODED))
    return [f"…{text[max(0, at - 100) : at + 60]}…" for at in found if at >= 0]


def errands(
    contract: Guide | Platform, sandbox: SandboxHandle, name: str
) -> Iterator[tuple[str, Arguments]]:
    """Yield messages of every task that break no rule, and hold the canary wherever they may.

    What they are about holds it too, and goes by ids that begin with `name`.
    """
    target, source = _people(contract, sandbox, f"{name}-merged")
    yield "merge_profiles", {"target_profile_id": target, "source_profile_ids": [source]}
    target, source = _people(contract, sandbox, f"{name}-synced")
    merge = {"target_profile_id": target, "source_profile_ids": [source]}
    yield "merge_and_sync", {**merge, "customer_id": target}
    contract.put_call(sandbox, f"{name}-call")
    told = {"tier": TEXT, "number": str(NUMBER), MAIL: "name", PHONE: MAIL}
    yield "set_attributes", {"conversation_id": f"{name}-call", "attributes": told}
    read, brought = _people(contract, sandbox, f"{name}-contact")
    yield "sync_profile", {"contact_id": read}
    yield "sync_profile", {"contact_id": brought, "attributes": told}
    yield "deploy_config", {**contract.place(sandbox), "config": configuration()}
    contract.put_chat(sandbox, f"{name}-chat", f"I am {TEXT}", MAIL, PHONE)
    yield "redact_interaction", {"interaction_id": f"{name}-chat"}
    yield "redact_completed", {"since": "2026-05-01T08:59:00Z", "until": "2026-05-01T09:01:00Z"}


def _people(contract: Guide | Platform, sandbox: SandboxHandle, name: str) -> tuple[str, str]:
    """Two persons of whom the outside systems know the canary; return their ids."""
    known = {"firstName": TEXT, "title": MAIL}
    if isinstance(contract, Guide):
        known |= {"email": MAIL, "number": str(NUMBER), MAIL: PHONE, PHONE: MAIL}
    for person in (f"{name}-1", f"{name}-2"):
        contract.put_person(sandbox, person, **known)
    return f"{name}-1", f"{name}-2"


def configuration() -> Arguments:
    return {
        **CONFIGURATION,
        "font_family": f"Jane {NUMBER}",
        "greetings": [TEXT],
        "feature_flags": {MAIL: True, PHONE: False},
        "audience_segments": [TEXT, MAIL],
    }


_MERGE: Arguments = {"target_profile_id": "a", "source_profile_ids": ["b"]}
_DEPLOYED: Arguments = {"organization_ids": ["a"], "config": configuration()}

#: Messages that break a rule, by task.
REFUSED: tuple[tuple[str, Arguments], ...] = (
    ("set_attributes", {"conversation_id": "a-call", "attributes": {MAIL: NUMBER}}),
    ("set_attributes", {"conversation_id": f"{MAIL}/x", "attributes": {"tier": TEXT}}),
    ("set_attributes", {"conversation_id": "a-call", "attributes": {"tier": TEXT * 20}}),
    ("set_attributes", {"conversation_id": "a-call", "attributes": {"a": "b"}, MAIL: TEXT}),
    ("set_attributes", {"conversation_id": "a-call", "attributes": {"a": TEXT}, "tenant": MAIL}),
    ("merge_profiles", {"target_profile_id": TEXT, "source_profile_ids": [TEXT]}),
    ("merge_profiles", {**_MERGE, "merge_policy": TEXT}),
    ("merge_and_sync", {**_MERGE, "customer_id": TEXT}),
    ("sync_profile", {"contact_id": "a-contact", "operation_id": TEXT}),
    ("sync_profile", {"contact_id": "a-contact", "attributes": TEXT, "occurred_at": NUMBER}),
    ("deploy_config", {**_DEPLOYED, "organization_ids": [TEXT]}),
    ("deploy_config", {**_DEPLOYED, MAIL: TEXT}),
    ("deploy_config", {**_DEPLOYED, "config": {**configuration(), MAIL: TEXT}}),
    ("deploy_config", {**_DEPLOYED, "config": {**configuration(), "font_family": TEXT}}),
    ("redact_interaction", {"interaction_id": "a-chat", "entities": [TEXT]}),
    ("redact_completed", {"since": TEXT, "page_size": NUMBER}),
)  # fmt: skip

_CALL: Arguments = {"conversation_id": "a-call", "attributes": {"tier": TEXT}}
_BODY = [[], _CALL, {}]


def _compressed() -> bytes:
    squeezed = base64.b64encode(zlib.compress(json.dumps([[TEXT], _CALL, {}]).encode())).decode()
    return raw(_BODY, headers={"compression": "application/x-gzip"}, changes={"body": squeezed})


#: Bytes as no good client puts them on a queue.
MALFORMED: tuple[bytes, ...] = (
    f"{TEXT} is no message".encode(),
    raw([[TEXT], {}, {}]),
    raw([[], {MAIL: TEXT}, {"chain": [TEXT]}]),
    raw({MAIL: TEXT}),
    raw(_BODY, headers={"task": MAIL}),
    raw(_BODY, headers={"id": TEXT}),
    raw(_BODY, headers={"eta": TEXT}),
    raw(_BODY, headers={"expires": "2020-01-01T00:00:00"}),
    raw(_BODY, headers={"argsrepr": TEXT, "kwargsrepr": TEXT, "shadow": TEXT, "origin": TEXT}),
    raw(_BODY, headers={"stamps": {MAIL: TEXT}, "stamped_headers": [MAIL], MAIL: TEXT}),
    raw(_BODY, properties={"correlation_id": TEXT, "reply_to": TEXT, "priority": TEXT}),
    raw(_BODY, changes={"content-type": f"text/{MAIL}", MAIL: TEXT}),
    _compressed(),
)

#: What an outside system may say, in the terms of all of them, whatever it is about.
SAID: Arguments = {
    **dict.fromkeys(("message", "errorDescription", "error_description", "detail", "title"), TEXT),
    **dict.fromkeys(("code", "error", "errorCode", "contextId", "uid", "traceId", "scope"), MAIL),
    **dict.fromkeys(("version", "status", "state", "entityId", "name"), MAIL),
    "number": NUMBER,
    "access_token": MAIL,
    "expires_in": 60,
    "errors": [{"field": MAIL, "code": MAIL, "errorCode": MAIL, "message": TEXT}],
    "details": [{"fieldName": MAIL, "errorCode": MAIL, "profileId": MAIL, "message": TEXT}],
    "messageParams": {"permissions": TEXT, MAIL: TEXT},
}
HEADERS = {"X-Correlation-Id": MAIL, "ININ-Correlation-Id": MAIL, "Location": MAIL, "ETag": MAIL}


def all_of(redis: Redis) -> str:
    """Return everything that a Redis holds, names and values."""
    readers: dict[str, Any] = {
        "string": redis.get,
        "hash": redis.hgetall,
        "set": redis.smembers,
        "stream": redis.xrange,
        "list": lambda name: redis.lrange(name, 0, -1),
        "zset": lambda name: redis.zrange(name, 0, -1, withscores=True),
    }
    kinds = ((name, redis.type(name).decode()) for name in redis.scan_iter("*"))  # type: ignore[union-attr]  # redis-py's own
    return "\n".join(f"{name} {readers[kind](name)}" for name, kind in kinds if kind in readers)
