"""A call that is carried out when its worker has died, and others have come to its resource."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.cluster import Cluster, wait_until
from tests.support.crashing_app import CRASHED
from tests.support.forked_workers import forked_workers
from tests.support.switches import SWITCHES, Switch, moment
from workers.app import WorkersApp

#: Seconds of a lease, of the call, and after which it is given up.
LEASE, SLOW, TIMEOUT = 1, 3.0, 6


@pytest.mark.parametrize("kind", SWITCHES, ids=lambda kind: kind.__name__)
def test_a_call_that_outlives_its_worker_does_not_undo_what_a_newer_message_sets(
    cluster: Cluster, app: WorkersApp, kind: type[Switch]
) -> None:
    switch = kind.new(cluster, app)
    cluster.sandbox.fault(kind="latency", seconds=SLOW, **switch.write())
    old, new = f"{kind.__name__}-old@during-the-call", f"{kind.__name__}-new"
    hasty = {"LEASE_SECONDS": str(LEASE), "TIMEOUTS__WRITE": str(TIMEOUT)}
    variables = replace(cluster, environment={**cluster.environment, **hasty}).variables()
    with forked_workers(variables, cluster.folder, "tests.support.crashing_app", 2):
        switch.set("true", old, occurred_at=moment(1))
        wait_until(lambda: cluster.redis.sismember(CRASHED, old), 60, "its worker is to die")
        switch.set("false", new, occurred_at=moment(2))
        assert cluster.ending(new, 60)["result"]["status"] == "done"
        assert cluster.ending(old, 60)["status"] == "SUCCESS"
        cluster.wait_until_quiet()
    assert switch.read() == "false"
