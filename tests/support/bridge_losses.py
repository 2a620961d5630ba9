"""A bridge that misses events, by drops, outages and kills; and what must not be missing after."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as NotUp

from tests.support.bridges import BridgeSite, expected, ongoing, sandbox_process
from tests.support.waiting import wait_until

CONTRACT = "platform"
#: Customers who change attributes and leave chats, more than there are drops and kills.
STREAM: dict[str, Any] = {
    "rate": 40,
    "duplicates": 0.1,
    "repeated": 0.1,
    "reordered": 0.1,
    "merges": 0,
}

#: Each change is told with its values, so that it shows which are there.
RULES = """
[[rule]]
name = "visit"
topic = "v2.detail.events.conversation.{id}.attributes"
when = "conversationExternalContactIds && attributes.visit"
task = "sync_profile"
subject = "[conversationId, participantId]"
occurrence = { values = "attributes.visit" }
backfill = "latest"
[rule.arguments]
contact_id = "conversationExternalContactIds[0]"
attributes = "attributes.{visit: visit}"
occurred_at = "eventTime"

[[rule]]
name = "left"
topic = "v2.routing.queues.{id}.conversations.messages"
when = "participants[?purpose == 'customer' && endTime]"
task = "redact_interaction"
subject = "id"
occurrence = { at = "max(participants[?purpose == 'customer' && endTime].endTime)" }
backfill = "every"
[rule.arguments]
interaction_id = "id"
"""

#: Seconds after a standstill in which everything must have been made up for.
RECOVERY = 60


@dataclass(frozen=True, kw_only=True)
class Losses:
    """A site where customers go on all the time, whatever is heard of them."""

    site: BridgeSite
    redis: Redis
    random: Random

    def check(self) -> None:
        """Let customers rest, and see that all that a backfill can recover is on the queues.

        Each end of a chat is there once, and so are the last values of each customer; no others
        are there twice.
        """
        self.site.sandbox.stop_stream()
        with suppress(AssertionError):
            wait_until(lambda: not self._astray(), RECOVERY, "nothing is missing", pause=0.3)
        assert not (astray := self._astray()), astray
        sent = self._sent()
        assert sent["redact_interaction"] == self._ended()
        assert set(sent["sync_profile"].values()) == {1}

    def _astray(self) -> dict[str, list[str]]:
        """Return what is missing or there too often, if anything."""
        try:
            sent = self._sent()
        except NotUp:
            return {"Redis": ["is away"]}
        redacted, ended = sent["redact_interaction"], self._ended()
        astray = {
            "chats that are missing": sorted((ended - redacted).elements()),
            "chats too many": sorted((redacted - ended).elements()),
            "visits that are missing": sorted(self._last_visits() - sent["sync_profile"].keys()),
        }
        return {name: each for name, each in astray.items() if each}

    def _sent(self) -> dict[str, Counter[str]]:
        """Return which chats are to be redacted, and which visits are to be synced, how often."""
        sent: dict[str, Counter[str]] = {"redact_interaction": Counter(), "sync_profile": Counter()}
        for task, arguments in self.site.messages(self.redis):
            told = arguments.get("interaction_id") or arguments["attributes"]["visit"]
            sent[task][told] += 1
        return sent

    def _ended(self) -> Counter[str]:
        happened = expected(self.site.sandbox, contract=CONTRACT)
        return Counter([chat for task, chat in happened if task == "redact_interaction"])

    def _last_visits(self) -> set[str]:
        """Return the values that were set last: copies of older events may be told after them."""
        last: dict[str, tuple[int, str]] = {}
        for each in self.site.sandbox.events(contract=CONTRACT):
            if each["occurrence"].startswith("attributes:"):
                body = each["detail"]["eventBody"]
                if visit := body["attributes"].get("visit"):
                    told = (body["eventTime"], visit)
                    last[body["conversationId"]] = max(told, last.get(body["conversationId"], told))
        return {visit for _, visit in last.values()}


@contextmanager
def losing(redis_url: str, folder: Path, seed: int = 7) -> Iterator[Losses]:
    """Let customers go on in a sandbox of their own; bridges are the caller's to run."""
    with sandbox_process(folder) as sandbox, Redis.from_url(redis_url) as redis:
        redis.flushdb()
        bridge = {
            "queues": [sandbox.queue_id()],
            "conversations": ongoing(sandbox),
            "secret_env": "BRIDGE_TEST_SECRET",
            "rules": str(_rules(folder)),
        }
        site = BridgeSite(redis_url=redis_url, sandbox=sandbox, folder=folder, bridge=bridge)
        yield Losses(site=site, redis=redis, random=Random(seed))


def _rules(folder: Path) -> Path:
    path = folder / "rules.toml"
    path.write_text(RULES, "utf-8")
    return path


def drop_at_random(losses: Losses, drops: int) -> None:
    """Drop the socket so many times, each a moment after it was opened again."""
    with losses.site.running() as bridge:
        bridge.says("bridge.connected")
        losses.site.sandbox.start_stream(**STREAM)
        for number in range(1, drops + 1):
            wait_until(lambda: losses.site.sandbox.sockets("drop"), 30, "there is a socket")
            wait_until(
                lambda: bridge.said().count("bridge.connected") > number,  # noqa: B023  # called at once
                30,
                "the bridge has connected again",
            )
            time.sleep(losses.random.uniform(0, 0.7))
        losses.check()


def kill_in_turn(losses: Losses, kills: int) -> list[float]:
    """Kill the bridge that leads so many times, with another one standing by.

    Returns after how many seconds the other one listened, each time.
    """
    bridges = [losses.site.start()]
    waits = []
    try:
        bridges[0].says("bridge.connected")
        bridges.append(losses.site.start())
        bridges[1].says("bridge listening")
        losses.site.sandbox.start_stream(**STREAM)
        for _ in range(kills):
            time.sleep(losses.random.uniform(0, 1.5))
            bridges.pop(0).kill()
            began = time.monotonic()
            bridges[0].says("bridge.connected")
            waits.append(time.monotonic() - began)
            bridges.append(losses.site.start())
            bridges[1].says("bridge listening")
        losses.check()
    finally:
        for bridge in bridges:
            bridge.end()
    return waits
