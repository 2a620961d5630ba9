"""What docker-compose.yml runs: each command starts, is told healthy by itself, and ends in time.

There is no Docker here: commands, environments and health checks of the file run as processes.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import compose
from tests.support.compose import Service
from tests.support.composed import Composed, Host
from tests.support.waiting import wait_until
from workers.sandbox.testing import SandboxHandle

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="health checks are those of a Linux container"
)

VARIABLES = {
    **compose.example(),
    "REDIS_PASSWORD": "hunter2-of-redis",
    "FLOWER_PASSWORD": "hunter2-of-flower",
    "BRIDGE_SECRET": "hunter2-of-the-bridge",
    "SEAL_KEY": "c2VhbC1rZXktb2YtdGhlLXRlc3RzLTMyLWJ5dGVzISE=",
}
#: What leads to other files than the sandbox's tenant, or is left empty.
UNSET = ("TENANTS_FILE", "AUDIT_DIR", "RECEIVER_TLS_CERT", "RECEIVER_TLS_KEY")

#: What runs where neither Docker nor its images are; those that the others need first.
SERVICES: dict[str, Service] = compose.services(
    {name: value for name, value in VARIABLES.items() if value and name not in UNSET}
)
FIRST = ("redis", "sandbox")
NOT_HERE = {"grafana"}
PROMETHEUS = ("prometheus", "wget")
RUN = [*FIRST, *(name for name in SERVICES if name not in {*FIRST, *NOT_HERE})]

#: Seconds after which a worker's loop counts as stuck, and a little more.
STUCK = 31
#: Seconds in which any of them would have answered.
SILENCE = 1.0


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """All of them, running."""
    made = Host(folder=tmp_path_factory.mktemp("composed"))
    try:
        for name in RUN:
            if name != "prometheus" or all(map(shutil.which, PROMETHEUS)):
                started = made.start(SERVICES[name])
                if name in FIRST:
                    started.becomes_healthy()
        yield made
    finally:
        made.end()


@pytest.fixture
def service(host: Host, request: pytest.FixtureRequest) -> Composed:
    if request.param not in host.services:
        pytest.skip(f"{request.param} is not installed, or what asks it is not")
    found = host.services[request.param]
    found.becomes_healthy()
    return found


every_service = pytest.mark.parametrize("service", RUN, indirect=True)
last_first = pytest.mark.parametrize("service", RUN[::-1], indirect=True)


@every_service
def test_a_process_that_is_stopped_is_not_healthy(service: Composed) -> None:
    with service.stopped():
        service.age(STUCK)
        assert not service.is_healthy(within=SILENCE)
    service.becomes_healthy()


def test_a_message_is_carried_out(host: Host, tmp_path: Path) -> None:
    worker = host.services["worker-normal"]
    worker.becomes_healthy()
    sandbox = SandboxHandle(worker.environment()["GENESYS_API_URL"].removesuffix("/genesys"))
    contact = sandbox.ids("contacts")[0]
    file = tmp_path / "messages"
    file.write_text(json.dumps({"contact_id": contact}))
    done = worker.run("enqueue", "sync_profile", "--json", str(file))
    assert done.returncode == 0, done.stderr
    wait_until(sandbox.effects, 30, "the message had its effect")


def test_the_doctor_finds_nothing_to_mend(host: Host) -> None:
    for name in ("worker-live", "worker-normal", "worker-batch"):
        host.services[name].becomes_healthy()
    done = host.services["worker-live"].run("doctor", "--json")
    findings = json.loads(done.stdout)["findings"]
    assert [each for each in findings if each["state"] != "ok"] == []
    assert done.returncode == 0


def test_status_shows_a_worker_of_each_class(host: Host) -> None:
    done = host.services["worker-live"].run("status", "--json")
    seen = json.loads(done.stdout)
    names = [each["name"].partition("@")[0] for each in seen["workers"] if each["alive"]]
    assert sorted(names) == ["batch", "live", "normal"]
    assert all(len(each["readers"]) == 1 for each in seen["queues"])


def test_redis_takes_nobody_without_its_password_which_is_on_no_command_line(host: Host) -> None:
    redis = host.services["redis"]
    assert redis.is_healthy()
    assert not redis.is_healthy(REDISCLI_AUTH="hunter3")
    assert "hunter2" not in Path(f"/proc/{redis.process.pid}/cmdline").read_text("utf-8")


@last_first
def test_a_process_that_is_asked_to_ends_in_good_order_and_is_not_healthy_then(
    service: Composed,
) -> None:
    assert service.end() == 0, service.said()
    service.age(STUCK)
    assert not service.is_healthy()
