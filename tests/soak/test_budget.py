"""A narrow budget that the server enforces, every queue busy, for `SOAK_MINUTES` (ten)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count, pairwise
from typing import Any

import pytest

from tasks.messages import (
    DeployConfig,
    MergeProfiles,
    Message,
    RedactCompleted,
    RedactInteraction,
    SetAttributes,
    SyncProfile,
)
from tests.support.chats import add_chats
from tests.support.cluster import RATES, Cluster
from tests.support.configuration import CONFIGURATION
from tests.support.tenants import tenant, tenants_file
from workers.app import WorkersApp
from workers.sandbox.testing import SandboxHandle

pytestmark = pytest.mark.slow

MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
BUDGET = 300
WINDOW = 60.0

#: A fifth of the budget is left to what is not batch work; these make about fifty calls of its 60.
SECONDS_BETWEEN: Mapping[type[Message], float] = {
    SetAttributes: 6.0,
    SyncProfile: 10.0,
    MergeProfiles: 30.0,
    DeployConfig: 30.0,
}

#: What redactions read and write.
ROUTE = "/api/v2/interactions/{id}"

#: What the batch queue is given: more than the whole budget could carry, at four calls each.
CHATS = int(MINUTES * BUDGET / 4) + 200


@dataclass(kw_only=True)
class Senders:
    """Sends each kind of message at its own pace; `sent` is when each live one left."""

    app: WorkersApp
    sandbox: SandboxHandle
    sent: dict[str, float] = field(default_factory=dict)

    def send_until(self, end: float) -> None:
        streams = {model: iter(self._messages(model)) for model in SECONDS_BETWEEN}
        due = dict.fromkeys(SECONDS_BETWEEN, time.monotonic())
        while time.monotonic() < end:
            for model, stream in streams.items():
                if due[model] <= time.monotonic():
                    due[model] += SECONDS_BETWEEN[model]
                    self._send(next(stream))
            time.sleep(0.05)

    def _send(self, message: Message) -> None:
        if isinstance(message, SetAttributes):
            self.sent[str(message.correlation_id)] = time.time()
        self.app.services.producer.publish(message)

    def _messages(self, model: type[Message]) -> Iterator[Message]:
        conversations = self.sandbox.ids("conversations", state="active")
        contacts, profiles = self.sandbox.ids("contacts"), self.sandbox.ids("profiles")
        organizations = self.sandbox.organizations()["default"]
        for number in count():
            name = f"{model.task}-{number}"
            arguments: dict[type[Message], dict[str, Any]] = {
                SetAttributes: {
                    "conversation_id": conversations[number % len(conversations)],
                    "attributes": {"soak": name},
                },
                SyncProfile: {"contact_id": contacts[number % len(contacts)]},
                MergeProfiles: {
                    "source_profile_ids": [profiles[2 * number]],
                    "target_profile_id": profiles[2 * number + 1],
                },
                DeployConfig: {
                    "organization_ids": [organizations[number % len(organizations)]],
                    "config": CONFIGURATION,
                },
            }
            yield model(operation_id=name, correlation_id=name, **arguments[model])


@dataclass(frozen=True, kw_only=True)
class Journal:
    """The calls that the server has seen, but for those that asked for tokens."""

    calls: Sequence[dict[str, Any]]

    @property
    def windows(self) -> list[float]:
        """When each of the server's windows began: with the first call after the one before."""
        begun: list[float] = []
        for call in self.calls:
            if not begun or call["at"] >= begun[-1] + WINDOW:
                begun.append(call["at"])
        return begun

    def between(self, start: float, end: float, **fields: Any) -> int:
        return sum(
            start <= call["at"] < end and all(call[k] == v for k, v in fields.items())
            for call in self.calls
            if call["status"] != 429
        )

    def refused_after(self, moment: float) -> int:
        return sum(call["status"] == 429 and call["at"] >= moment for call in self.calls)


@pytest.fixture
def narrow(cluster: Cluster) -> Cluster:
    """The cluster with the budget that its server enforces."""
    cluster.sandbox.options(requests_per_minute=BUDGET)
    table = tenant(cluster.sandbox, "default", requests_per_minute=BUDGET)
    environment = {
        "TENANTS_FILE": tenants_file(cluster.folder, default=table),
        "QUEUE_RATES": RATES.replace("sweep=9999/s", "sweep=2/m"),
    }
    return replace(cluster, environment={**cluster.environment, **environment})


def test_a_narrow_budget_is_used_up_with_live_messages_first_and_batch_work_in_all_the_rest(
    narrow: Cluster, app: WorkersApp
) -> None:
    chats = add_chats(narrow.sandbox, CHATS, first=datetime(2025, 1, 1, tzinfo=UTC))
    for chat in sorted(chats):
        app.services.producer.publish(RedactInteraction(interaction_id=chat))
    app.services.producer.publish(RedactCompleted(page_size=10))
    senders = Senders(app=app, sandbox=narrow.sandbox)

    with narrow.worker("-n", "one@localhost"), narrow.worker("-n", "two@localhost"):
        senders.send_until(time.monotonic() + MINUTES * WINDOW)

    entries = narrow.sandbox.journal(system="genesys")
    journal = Journal(calls=[each for each in entries if each["route"] != "/oauth/token"])
    windows = journal.windows
    used = [journal.between(*span) for span in pairwise(windows)]
    batch = [journal.between(*span, route=ROUTE) for span in pairwise(windows)]
    waited = sorted(waits(journal, senders.sent))
    print(f"used {used}, of it by redactions {batch}; live messages waited {waited[-5:]} s at most")

    assert journal.refused_after(windows[1]) <= 1
    whole = (windows[-1] - windows[0]) / WINDOW
    assert sum(used) >= 0.98 * BUDGET * whole, f"{sum(used) / BUDGET / whole:.1%} used: {used}"
    assert min(batch) >= BUDGET / 2
    assert waited[len(waited) // 2] < 1
    assert waited[-1] < 10


def waits(journal: Journal, sent: dict[str, float]) -> Iterator[float]:
    """Yield how long each live message waited for its first call; all but the last have begun."""
    first: dict[str, float] = {}
    for call in journal.calls:
        first.setdefault(call["correlation_id"], call["at"])
    for name, moment in list(sent.items())[:-1]:
        yield first.get(name, float("inf")) - moment
