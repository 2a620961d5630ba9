"""Gaps of a tenant on the `guide` contract are filled, from the sandbox onto a real broker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from tasks.apis.moments import iso
from tests.support.arriving import left
from tests.support.backfilling import Site, now, site
from tests.support.cluster import Cluster
from tests.support.tenants import tenant
from workers.sandbox.testing import SandboxHandle

MINUTE, HOUR, DAY = (timedelta(seconds=each) for each in (60, 3_600, 86_400))
QUERY = "/api/v2/interactions/query"


@pytest.fixture
def guide(cluster: Cluster) -> Iterator[Site]:
    """A site whose tenant hears a queue of the guide contract."""
    bridge = {"queues": ["a-queue"], "settle_seconds": 0.0}
    table = tenant(cluster.sandbox, sync=None, requests_per_minute=300, bridge=bridge)
    made = site(cluster, table)
    yield made
    made.services.close()


def put(sandbox: SandboxHandle, **interactions: dict[str, Any]) -> None:
    sandbox.put_many("interactions", interactions)


def interaction(start: datetime, end: datetime) -> dict[str, Any]:
    return {
        "type": "webmessaging",
        "state": "completed",
        "startTime": iso(start),
        "endTime": iso(end),
        "messages": [{"id": "m", "text": "mail me at ann@example.com"}],
    }


def let_no_end_be_known(sandbox: SandboxHandle) -> None:
    """Let the first question of a search be refused, as for a field that nobody knows."""
    sandbox.fault(kind="status", system="genesys", route=QUERY, status=400)


def test_what_ended_in_a_gap_is_redacted_once(guide: Site, sandbox: SandboxHandle) -> None:
    at = now()
    put(
        sandbox,
        begun_days_before=interaction(at - 3 * DAY, at - 30 * MINUTE),
        ended_before=interaction(at - 3 * DAY, at - 2 * HOUR),
    )
    guide.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    guide.fill()
    assert guide.redacted() == {"begun_days_before": 1}
    assert guide.gaps.waiting() == []
    (filled,) = guide.gaps.filled()
    # One of its customer, and one of the queue that it was heard in.
    assert (filled.events, filled.messages) == (2, 1)


@pytest.mark.parametrize("order", ["live first", "backfill first"])
def test_live_copies_and_what_is_found_later_make_one_message(
    guide: Site, sandbox: SandboxHandle, order: str
) -> None:
    at = now()
    ended = at - 30 * MINUTE
    put(sandbox, one=interaction(at - DAY, ended))
    guide.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    if order == "live first":
        assert guide.take(left("one", at=ended)).enqueued == 1
        guide.fill()
    else:
        guide.fill()
        assert guide.take(left("one", at=ended)).enqueued == 0
    assert guide.redacted() == {"one": 1}


@pytest.mark.parametrize("order", ["live first", "backfill first"])
def test_an_end_without_a_moment_is_the_one_that_was_heard_live(
    guide: Site, sandbox: SandboxHandle, order: str
) -> None:
    at = now()
    ended = at - 30 * MINUTE
    put(sandbox, one=interaction(at - DAY, ended), other=interaction(at - DAY, at - 25 * MINUTE))
    let_no_end_be_known(sandbox)
    guide.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    if order == "live first":
        assert guide.take(left("one", at=ended)).enqueued == 1
        guide.fill()
    else:
        guide.fill()
        assert guide.take(left("one", at=ended)).enqueued == 0
    assert guide.redacted() == {"one": 1, "other": 1}


def test_without_ends_a_gap_that_is_searched_again_finds_nothing_new(
    guide: Site, sandbox: SandboxHandle
) -> None:
    at = now()
    made = {f"i{n:03}": interaction(at - DAY, at - 30 * MINUTE) for n in range(130)}
    put(sandbox, **made)
    for _ in range(2):
        let_no_end_be_known(sandbox)
        guide.gap(at - 40 * MINUTE, at - 20 * MINUTE)
        guide.fill()
    assert guide.redacted() == dict.fromkeys(made, 1)
    assert [each.messages for each in guide.gaps.filled()] == [0, 130]


def test_a_missing_scope_is_told_and_leaves_the_gap_open(
    guide: Site, sandbox: SandboxHandle
) -> None:
    at = now()
    sandbox.put_client("sandbox-client", scopes=["interaction:write"])
    guide.gap(at - 40 * MINUTE, at - 20 * MINUTE)
    with capture_logs() as logged:
        guide.fill()
    (told,) = [each for each in logged if each["event"] == "bridge.backfill_failed"]
    assert "interaction:read" in told["error"]
    assert len(guide.gaps.waiting()) == 1
