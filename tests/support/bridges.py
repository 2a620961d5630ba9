"""A bridge between a sandbox and a Redis, all in processes of their own."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from redis import Redis

from tests.support import program
from tests.support.program import Program
from tests.support.tenants import (
    PLATFORM_CLIENTS,
    UNLIMITED,
    platform_tenant,
    tenants_file,
)
from workers.sandbox.testing import SandboxHandle

SECRET = "a secret of some length"

#: A bridge that waits for nothing longer than a test needs.
QUICK = {"margin_seconds": 2, "settle_seconds": 1, "longest_wait_seconds": 1}

#: What a message is for: its task, and the id in its arguments.
Sent = tuple[str, str]

#: Events that are asked for at once.
PAGE = 5_000

_SUBJECTS = {"redact_interaction": "interaction_id", "sync_profile": "contact_id"}
_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class BridgeSite:
    """Where bridges run: the broker, the sandbox, and the settings of the tenant `default`."""

    redis_url: str
    sandbox: SandboxHandle
    folder: Path
    bridge: Mapping[str, Any]
    variables: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return what connects a process to this site."""
        table = platform_tenant(self.sandbox, bridge={**QUICK, **self.bridge}, sync=None)
        return {
            "REDIS_URL": self.redis_url,
            "TENANTS_FILE": tenants_file(self.folder, default=table),
            "BRIDGE_TEST_SECRET": SECRET,
            "RECEIVER_ADDRESS": "127.0.0.1:0",
            **self.variables,
        }

    def start(self) -> Program:
        """Start a bridge; it is the caller's to end."""
        log = self.folder / f"bridge-{next(_numbers)}.log"
        return program.start(["bridge"], self.environment(), log)

    @contextmanager
    def running(self) -> Iterator[Program]:
        """Run a bridge until the block ends; it takes events when the block begins."""
        name = f"bridge-{next(_numbers)}"
        with program.running(["bridge"], self.environment(), self.folder, name) as bridge:
            url_of(bridge)
            yield bridge

    def sent(self, redis: Redis) -> Counter[Sent]:
        """Return what stands on the queues, by task and subject."""
        found = self.messages(redis)
        return Counter((task, arguments[_SUBJECTS[task]]) for task, arguments in found)

    def messages(self, redis: Redis) -> list[tuple[str, dict[str, Any]]]:
        """Return the tasks and arguments that stand on the queues."""
        return [_read(each) for queue in ("redact", "sync") for each in redis.lrange(queue, 0, -1)]


def url_of(bridge: Program) -> str:
    """Return where a bridge's receiver is, once it says so."""
    return bridge.says(r"bridge listening on (\S+)")[1]


def _read(stored: bytes | str) -> tuple[str, dict[str, Any]]:
    message = json.loads(stored)
    _, arguments, _ = json.loads(base64.b64decode(message["body"]))
    return message["headers"]["task"], arguments


def expected(sandbox: SandboxHandle, **filters: Any) -> Counter[Sent]:
    """Return what the shipped rules make of all that happened, by the sandbox's own account of it.

    What happened it tells by `occurrence`, however many events there were of it.
    """
    made: dict[str, Sent | None] = {}
    since = 0
    while told := sandbox.events(**filters, since=since, limit=PAGE):
        since = told[-1]["seq"]
        for each in told:
            if each["occurrence"] not in made:
                made[each["occurrence"]] = _made(each["occurrence"], each["detail"]["eventBody"])
    return Counter(each for each in made.values() if each)


def _made(occurrence: str, body: Mapping[str, Any]) -> Sent | None:
    match occurrence.split(":"):
        case ["ended", conversation_id, *_]:
            return "redact_interaction", conversation_id
        case ["attributes", *_]:
            return "sync_profile", body["conversationExternalContactIds"][0]
        case ["merged", survivor, *_]:
            return "sync_profile", survivor
    return None


def ongoing(sandbox: SandboxHandle) -> list[str]:
    """Let chats that go on have begun an hour ago, end what else goes on, and return their ids.

    They are what the customers of a stream go on changing, and what a backfill looks back to.
    """
    chats, hour_ago = [], (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H")
    for each in sandbox.ids("platformConversations"):
        held = sandbox.get("platformConversations", each)
        if "endTime" in held:
            continue
        if not any("messages" in participant for participant in held["participants"]):
            sandbox.end_conversation(each)
            continue
        begun = re.sub(r"\d{4}-\d\d-\d\dT\d\d", hour_ago, json.dumps(held))
        sandbox.put("platformConversations", each, json.loads(begun))
        chats.append(each)
    return chats


@contextmanager
def sandbox_process(folder: Path) -> Iterator[SandboxHandle]:
    """Run a sandbox in a process of its own, whose budget no test uses up."""
    with ExitStack() as stack:
        arguments = ["sandbox", "--port", "0"]
        running = stack.enter_context(program.running(arguments, {}, folder, "sandbox"))
        sandbox = SandboxHandle(running.says(r"^sandbox listening on (\S+)$")[1])
        sandbox.put_client(PLATFORM_CLIENTS["default"][0], requests_per_minute=UNLIMITED)
        yield sandbox
