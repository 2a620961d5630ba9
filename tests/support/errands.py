"""Messages of which each has an effect of its own, and what became of them, seen from outside."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

from tasks.messages import SetAttributes
from tests.support.cluster import Cluster
from workers.app import WorkersApp

PARTICIPANTS = "/api/v2/conversations/voice/participants"

#: Conversations that the sandbox is given in one request.
BATCH = 5_000


@dataclass(kw_only=True)
class Errands:
    """Attributes set, each on a conversation of its own. `app` sends the messages."""

    cluster: Cluster
    app: WorkersApp
    sent: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=count)
    _name: str = field(default_factory=lambda: f"errand-{uuid4().hex[:6]}")

    def send(self, many: int, delay: float = 0.0) -> list[str]:
        """Send so many messages, due in `delay` seconds, and return their ids."""
        names = [f"{self._name}-{next(self._numbers)}" for _ in range(many)]
        for start in range(0, many, BATCH):
            calls: dict[str, Any] = {
                name: {"participants": [{}]} for name in names[start : start + BATCH]
            }
            self.cluster.sandbox.put_many("conversations", calls)
        for name in names:
            message = SetAttributes(
                conversation_id=name, attributes={"errand": name}, operation_id=name
            )
            self.app.services.producer.publish(message, delay)
        self.sent += names
        return names

    def effects(self, names: Sequence[str] | None = None) -> Counter[str]:
        """Return how often the value of each errand, or of `names`, has taken effect."""
        wanted = set(self.sent if names is None else names)
        made = self.cluster.sandbox.effects(kind="participant.attributes")
        found = Counter(effect["correlation_id"] for effect in made if effect["detail"]["changed"])
        return Counter({name: found[name] for name in wanted if found[name]})

    def reads(self, names: Sequence[str]) -> list[float]:
        """Return when a run of one of `names` began, in epoch seconds."""
        wanted = set(names)
        calls = self.cluster.sandbox.journal(method="GET", route=PARTICIPANTS)
        return [call["at"] for call in calls if call["correlation_id"] in wanted]

    def holder(self, name: str) -> str:
        """Return the name of the worker that holds the message, "" where none does."""
        tags: Any = self.cluster.redis.zrange("gw:leases", 0, -1)
        for tag in tags:
            stored: Any = self.cluster.redis.hmget(f"gw:message:{tag.decode()}", "id", "worker")
            if stored[0] == name.encode():
                return str(stored[1].decode().partition("/")[0])
        return ""

    def statuses(self) -> dict[str, str]:
        """Return how each message ended, as its producer sees it; "" for one that has not."""
        names = [f"celery-task-meta-{name}" for name in self.sent]
        stored: list[Any] = []
        for start in range(0, len(names), BATCH):
            found: Any = self.cluster.redis.mget(names[start : start + BATCH])
            stored += found
        return dict(zip(self.sent, map(_status, stored), strict=True))

    def check(self, seconds: float = 60) -> None:
        """Wait for the end, and see that nothing was lost and each took effect once."""
        self.cluster.wait_until_quiet(seconds)
        statuses = self.statuses()
        assert {name: how for name, how in statuses.items() if how not in ("done", "noop")} == {}
        effects = self.effects()
        assert {name: effects[name] for name in self.sent if effects[name] != 1} == {}
        assert self.app.services.dead_letters.count() == 0


def _status(stored: bytes | None) -> str:
    meta = json.loads(stored or b"{}")
    result = meta.get("result")
    return str(result.get("status", meta["status"])) if isinstance(result, dict) else ""


def slow_reads(cluster: Cluster, seconds: float, times: int) -> None:
    """Let the next runs last so long; each begins with a read of its conversation."""
    slow: dict[str, Any] = {"kind": "latency", "seconds": seconds, "times": times}
    cluster.sandbox.fault(method="GET", route=PARTICIPANTS, system="genesys", **slow)
