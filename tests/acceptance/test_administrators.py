"""Two administrators and our worker change one organisation's configuration at the same time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest
import requests

from tests.support.cluster import Cluster
from tests.support.tenants import UNLIMITED
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp
from workers.sandbox.testing import SandboxHandle

CHANGES = 50
ORGANIZATION = "org-001"
PATH = f"/api/v2/webchat/organizations/{ORGANIZATION}/configurations"
#: Contrast enough to white, and two of them in turn, so that every message changes something.
COLORS = ("#0B5FFF", "#7C2D12")


@dataclass(frozen=True, kw_only=True)
class Administrator:
    """Writes fields of its own by the rules: under the version read, again after a 409."""

    sandbox: SandboxHandle
    name: str

    def work(self) -> None:
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self._token(session)}"
            for number in range(1, CHANGES + 1):
                while not self._change(session, number):
                    time.sleep(random.uniform(0, 0.01))
                time.sleep(random.uniform(0.02, 0.08))

    def _token(self, session: requests.Session) -> str:
        self.sandbox.put_client(
            self.name,
            system="genesys",
            organization="default",
            secret=self.name,
            requests_per_minute=UNLIMITED,
        )
        answer = session.post(
            f"{self.sandbox.genesys_url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(self.name, self.name),
            timeout=10,
        )
        return str(answer.json()["access_token"])

    def _change(self, session: requests.Session, number: int) -> bool:
        """Set a field of its own, and one amid the worker's; return whether nobody was faster."""
        url = f"{self.sandbox.genesys_url}{PATH}"
        document = session.get(url, timeout=10).json()
        document[f"of-{self.name}"] = number
        document["widget"]["theme"][f"of-{self.name}"] = number
        version = {"If-Match": str(document["version"])}
        answer = session.put(url, json=document, headers=version, timeout=10)
        assert answer.status_code in (200, 409), answer.text
        return answer.status_code == 200


@pytest.fixture(scope="module")
def contested(cluster: Cluster) -> Cluster:
    """A cluster that does not give up however often somebody else is faster."""
    patience = {"ERROR_POLICY__409__TRIES": "50", "ERROR_POLICY__409__FIRST_WAIT": "0.02"}
    return replace(cluster, environment={**cluster.environment, **patience})


@pytest.fixture(scope="module")
def deploying(contested: Cluster) -> Iterator[WorkerProcess]:
    with contested.worker() as worker:
        yield worker


def deploy_one_after_another(cluster: Cluster, app: WorkersApp) -> None:
    for number in range(1, CHANGES + 1):
        config = {
            "brand_color": COLORS[number % 2],
            "font_size": 16,
            "font_family": "Inter",
            "greetings": [f"Hello for the {number}. time"],
            "availability_rules": [],
        }
        message = {"organization_ids": [ORGANIZATION], "config": config}
        sent = app.services.producer.app.send_task("deploy_config", kwargs=message, queue="deploy")
        assert cluster.ending(sent.id)["result"]["status"] == "done"


def test_nobody_loses_a_field_to_another(
    contested: Cluster, deploying: WorkerProcess, app: WorkersApp
) -> None:
    sandbox = contested.sandbox
    sandbox.fault(kind="latency", seconds=0.01, method="PUT", times=None)
    names = ("admin-1", "admin-2")
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(Administrator(sandbox=sandbox, name=name).work) for name in names]
        jobs.append(pool.submit(deploy_one_after_another, contested, app))
        for job in jobs:
            job.result()
    document = sandbox.get("configurations", ORGANIZATION)
    theme = document["widget"]["theme"]
    assert {name: document[f"of-{name}"] for name in names} == dict.fromkeys(names, CHANGES)
    assert {name: theme[f"of-{name}"] for name in names} == dict.fromkeys(names, CHANGES)
    assert document["greetings"]["messages"] == [f"Hello for the {CHANGES}. time"]
    assert theme["colors"]["primary"] == COLORS[CHANGES % 2]
    effects = sandbox.effects(kind="configuration.put", subject=ORGANIZATION)
    assert [effect["detail"]["dropped"] for effect in effects] == [[]] * (3 * CHANGES)
    for client in (*names, "sandbox-client"):
        puts = sandbox.journal(method="PUT", path=PATH, client=client)
        statuses = [entry["status"] for entry in puts]
        assert statuses.count(200) == CHANGES
        assert statuses.count(409) > 0, f"nobody ever came between {client}'s reading and writing"
