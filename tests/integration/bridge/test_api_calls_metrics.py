"""What a bridge asks of a tenant's API is counted, and told by the names of a worker's calls."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from tasks.apis.calls import Call
from tasks.apis.notifications import Notifications
from tests.support import exposition, promql
from tests.support.backfilling import Site, Slept, now, site
from tests.support.bridges import BridgeSite, url_of
from tests.support.chat_conversations import conversation
from tests.support.cluster import Cluster
from tests.support.exposition import Exposition
from tests.support.tenants import platform_tenant
from tests.support.waiting import wait_until
from workers.bridge.listening.asking import Asking
from workers.bridge.process import Bridge
from workers.bridge.state.gaps import Gaps
from workers.metrics.counts import Counts, status_class
from workers.sandbox.testing import SandboxHandle
from workers.store import Store

W = "genesys_workers"
CHANNELS = "/api/v2/notifications/channels"
QUERY = "/api/v2/analytics/conversations/details/query"
READ = "/api/v2/conversations/{}"
TENANT = {"tenant": "default", "system": "genesys"}


#: A gap that is over is searched once.
HEARD = {"secret_env": "BRIDGE_TEST_SECRET", "settle_seconds": 0.0}


def shape(route: str) -> str:
    """Return a route whose placeholders have no names: ours and the sandbox's differ."""
    return re.sub(r"\{\w+\}", "{}", route)


def counted(shown: Exposition) -> Counter[tuple[str, ...]]:
    """Return the API calls that are shown, by method, route and status."""
    found: Counter[tuple[str, ...]] = Counter()
    for labels, value in shown.samples[f"{W}_api_calls_total"].items():
        told = dict(labels)
        assert (told["tenant"], told["system"]) == ("default", "genesys")
        found[told["method"], shape(told["route"]), told["status"]] += int(value)
    return found


def answered(sandbox: SandboxHandle) -> Counter[tuple[str, ...]]:
    """Return the API calls that the sandbox has had, by the same; a socket is none."""
    return Counter(
        (each["method"], shape(each["route"]), status_class(each["status"]))
        for each in sandbox.journal()
        if each["status"] != 101
    )


def ended(sandbox: SandboxHandle, name: str) -> None:
    """Let a chat of a known contact have ended half an hour ago: a backfill reads it."""
    at = now()
    chat = conversation(
        at - timedelta(days=1), ended=at - timedelta(minutes=30), contact=f"of-{name}"
    )
    sandbox.put_many("platformConversations", {name: chat})


def test_a_bridge_tells_every_call_that_it_has_made_and_every_pause(
    redis: Redis, redis_url: str, sandbox: SandboxHandle, tmp_path: Path
) -> None:
    place = BridgeSite(
        redis_url=redis_url,
        sandbox=sandbox,
        folder=tmp_path,
        bridge={**HEARD, "queues": [sandbox.queue_id()]},
    )
    ended(sandbox, "c-missed")
    sandbox.fault(
        kind="status", status=429, method="POST", route=CHANNELS, headers={"Retry-After": "1"}
    )
    store, at = Store.connect(redis_url), now().timestamp()
    gaps = Gaps(store=store, tenant="default")
    gaps.open(at - 2_400, at - 1_200, "connection lost")
    with place.running() as bridge:
        bridge.says("bridge.connected")
        wait_until(lambda: not gaps.waiting(), 20, "the gap is filled")
        address = url_of(bridge).removeprefix("http://")
        # The journal has a call before its answer is counted.
        wait_until(
            lambda: counted(exposition.scraped(address)) == answered(sandbox),
            10,
            "every call is told",
        )
        shown = exposition.scraped(address)
    store.redis.close()

    told = counted(shown)
    assert told["POST", CHANNELS, "429"] == 1
    assert told["POST", CHANNELS, "2xx"] == 1
    assert told["POST", QUERY, "2xx"] > 0
    assert told["GET", READ, "2xx"] == 1
    assert sum(told[method, f"{CHANNELS}/{{}}/subscriptions", "2xx"] for method in ("PUT", "POST"))
    assert shown.value(f"{W}_pauses_total", **TENANT) == 1
    assert shown.total(f"{W}_api_call_seconds_count") == told.total()
    assert place.sent(redis)["redact_interaction", "c-missed"] == 1


@pytest.fixture
def filled(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The services of a bridge's process, in this one."""
    monkeypatch.setenv("BRIDGE_TEST_SECRET", "a secret of some length")
    table = platform_tenant(cluster.sandbox, bridge=HEARD, sync=None)
    made = site(cluster, table)
    yield made
    made.services.close()


def of_bridge(site: Site) -> Exposition:
    """Return what a bridge would show that has these services."""
    return Exposition(Bridge(site.services).metrics.text().decode())


def test_names_and_labels_are_those_of_a_worker_and_nothing_else_of_a_worker_is_told(
    filled: Site,
) -> None:
    tell_all(filled.services.counts)
    worker, bridge = Counts(), of_bridge(filled)
    tell_all(worker)
    of_worker = exposition.of(worker.registry)
    names = {name for name in promql.series(bridge.text) if name.startswith(W)}
    assert {name.removeprefix(f"{W}_") for name in names} == {
        "api_calls_total",
        *(f"api_call_seconds_{each}" for each in ("bucket", "sum", "count")),
        "pauses_total",
    }
    for name in names:
        assert bridge.samples[name].keys() == of_worker.samples[name].keys()


def tell_all(counts: Counts) -> None:
    call = Call(method="GET", route="/a/{id}", needs="", ids={"id": "i-1"})
    counts.called("acme", "genesys", call, 200, 0.1)
    counts.paused("acme", "genesys")
    counts.ended("acme", "merge_profiles", "done")
    counts.fault("broker")


def test_no_label_holds_an_id_and_chats_make_no_series(
    filled: Site, sandbox: SandboxHandle
) -> None:
    for number in range(3):
        ended(sandbox, f"c-{number}")
    at = now()
    filled.gap(at - timedelta(minutes=40), at - timedelta(minutes=20))
    filled.fill()
    one = of_bridge(filled)
    for number in range(3, 30):
        ended(sandbox, f"c-{number}")
    filled.gap(at - timedelta(minutes=40), at - timedelta(minutes=20))
    filled.fill()
    many = of_bridge(filled)
    assert filled.redacted().total() == 30
    assert one.labels() == many.labels()
    assert counted(many)["GET", READ, "2xx"] == 3 + 30
    told = " ".join(value for values in many.labels().values() for value in values)
    assert not re.search(r"c-\d", told)


def test_a_pause_of_a_backfill_is_counted_too(
    filled: Site, sandbox: SandboxHandle, redis: Redis
) -> None:
    at = now()
    ended(sandbox, "c-1")
    filled.gap(at - timedelta(minutes=40), at - timedelta(minutes=20))
    sandbox.fault(kind="status", route=QUERY, status=429, headers={"Retry-After": "7"})
    filled.sleep = Slept(over=lambda: redis.delete("gw:pause:default:genesys"))
    filled.fill()
    assert of_bridge(filled).value(f"{W}_pauses_total", **TENANT) == 1
    assert counted(of_bridge(filled))["POST", QUERY, "429"] == 1


def test_no_call_is_lost_where_threads_call_at_once_and_somebody_scrapes_meanwhile(
    filled: Site, sandbox: SandboxHandle
) -> None:
    metrics = Bridge(filled.services).metrics

    def many(service: Notifications) -> None:
        for _ in range(25):
            service.channels_in_use()

    async def story() -> None:
        asking = asyncio.gather(*(Asking(filled.services, "default")(many) for _ in range(4)))
        while not asking.done():
            metrics.text()
            await asyncio.sleep(0)
        await asking

    asyncio.run(story())
    shown = Exposition(metrics.text().decode())
    assert counted(shown)["GET", CHANNELS, "2xx"] == 100
    assert counted(shown) == answered(sandbox)
