"""A sweep over many chats whose worker is killed twice in the middle of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tests.support.chats import add_chats
from tests.support.cluster import RATES, Cluster
from tests.support.waiting import wait_until
from workers.app import WorkersApp
from workers.sandbox.testing import SandboxHandle

QUERY = "/api/v2/interactions/query"
PAGE = 100
KILLS = 2

#: A page takes long enough for its worker to die during the sweep; a dead one is soon missed.
SHORT_LEASES = {"LEASE_SECONDS": "2"}


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What a killed sweep came to: memory in bytes, of the last worker."""

    chats: set[str]
    redacted: Counter[str]
    pages: Counter[str]
    memory_early: int
    memory_late: int


def killed_sweep(cluster: Cluster, app: WorkersApp, *, count: int, pages_a_second: int) -> Sweep:
    """Sweep `count` chats, killing the worker after a tenth and after two tenths of the pages.

    The last worker's memory is taken when it has redacted another tenth, and at the end.
    """
    rates = RATES.replace("sweep=9999/s", f"sweep={pages_a_second}/s")
    cluster = replace(
        cluster, environment={**cluster.environment, **SHORT_LEASES, "QUEUE_RATES": rates}
    )
    hide_seeded_chats(cluster.sandbox)
    chats = add_chats(cluster.sandbox, count, first=datetime(2015, 1, 1, tzinfo=UTC))
    app.services.producer.app.send_task(
        "redact_completed",
        kwargs={"page_size": PAGE, "operation_id": "sweep"},
        queue="sweep",
    )
    tenth = count // PAGE // 10
    for kill in range(1, KILLS + 1):
        with cluster.worker() as worker:
            # Each kill meets a page of its own in work: none is read three times.
            wait_for(cluster, "pages", kill * tenth)
            worker.kill()
    with cluster.worker() as worker:
        wait_for(cluster, "redactions", done_so_far(cluster)["redactions"] + count // 10)
        early = worker.memory()
        wait_for(cluster, "redactions", count)
        cluster.wait_until_quiet(60)
        late = worker.memory()
    effects = cluster.sandbox.effects(kind="interaction.redacted")
    queries = cluster.sandbox.journal(route=QUERY)
    return Sweep(
        chats=chats,
        redacted=Counter(effect["subject"] for effect in effects),
        pages=Counter(query["query"].get("nextPage", "") for query in queries),
        memory_early=early,
        memory_late=late,
    )


def hide_seeded_chats(sandbox: SandboxHandle) -> None:
    """Make e-mails of all interactions there are: no sweep asks for them."""
    emails = {each: {"type": "email"} for each in sandbox.ids("interactions")}
    sandbox.put_many("interactions", emails)


def wait_for(cluster: Cluster, what: str, count: int) -> None:
    wait_until(
        lambda: done_so_far(cluster)[what] >= count, 900, f"{count} {what} are made", pause=0.1
    )


def done_so_far(cluster: Cluster) -> Counter[str]:
    summary = cluster.sandbox.summary()
    queries = cluster.sandbox.journal(route=QUERY)
    pages = {each["query"].get("nextPage", "") for each in queries if each["status"] == 200}
    redactions = summary["effects"].get("interaction.redacted", 0)
    return Counter(pages=len(pages), redactions=redactions)
