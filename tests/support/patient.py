"""An installation for the doctor: a Redis of its own, the sandbox, and the environment to them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tasks.apis.systems import offered
from tasks.errors import RulesError
from tests.support.redis import redis_server
from tests.support.tenants import Table, platform_tenant, tenant, tenants_file
from tests.support.waiting import wait_until
from workers.app import create_app
from workers.bridge.judging import rules
from workers.bridge.listening.topics import topics_of
from workers.bridge.watching.reports import BridgeReport, Reports
from workers.cli.main import run
from workers.limits.rates import QUEUES
from workers.outside.visits import visiting
from workers.sandbox.testing import SandboxHandle
from workers.settings import Settings
from workers.store import Store
from workers.tenants import load_tenants

SEAL_KEY = "c2VhbC1rZXktb2YtdGhlLXRlc3RzLTMyLWJ5dGVzISE="

#: Words that stand in no finding.
SECRETS = ("sandbox-secret", "platform-secret", "sandbox-cxone-secret", SEAL_KEY, "hunter2")

#: Calls a minute that the sandbox allows a client: all that any test makes of it.
SERVED = 100_000

#: What a sound Redis is set to.
SOUND = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory": "0",
    "maxmemory_policy": "noeviction",
    "requirepass": "",
}


#: The permissions of the README's table, but for those of recordings.
ROLE = frozenset(
    {
        "externalContacts:contact:view",
        "externalContacts:identity:merge",
        "conversation:communication:view",
        "conversation:message:view",
        "webDeployments:configuration:view",
        "webDeployments:configuration:edit",
        "webDeployments:configuration:add",
        "webDeployments:deployment:view",
        "webDeployments:deployment:edit",
        "audits:audit:view",
        "gdpr:request:view",
        "gdpr:request:add",
        "analytics:conversationDetail:view",
        "dataprivacy:maskingrule:view",
        "dataprivacy:maskingrule:add",
        "dataprivacy:maskingrule:edit",
        "dataprivacy:maskingrule:delete",
        "dataprivacy:maskingrule:execute",
    }
)


@dataclass(frozen=True, kw_only=True)
class Patient:
    """An installation that is sound until a test breaks it. Its tenant is `default`."""

    redis: Redis
    url: str
    sandbox: SandboxHandle
    folder: Path
    environment: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    table: Table = field(default_factory=dict)
    around: ExitStack = field(default_factory=ExitStack)
    seal_key: str = SEAL_KEY

    def begin(self) -> None:
        """Make it sound."""
        self.sandbox.clear_faults()
        for name in ("platform-client", "sandbox-client", "sandbox-cxone"):
            self.sandbox.put_client(name, permissions=None, scopes=None, requests_per_minute=SERVED)
        self.use(platform_tenant(self.sandbox, requests_per_minute=300))
        self.set(REDIS_URL=self.url, SEAL_KEY=SEAL_KEY)
        self.configure(**SOUND)
        self.settle()

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self.environment.setenv(name, value)

    def use(self, table: Table) -> None:
        """Let the tenant be this one."""
        self.table.clear()
        self.table.update(table)
        self.set(TENANTS_FILE=tenants_file(self.folder, default=self.table))

    def change(self, **changes: Any) -> None:
        """Change keys of the tenant; it loses those that are given as None."""
        changed = {**self.table, **changes}
        self.use({name: value for name, value in changed.items() if value is not None})

    def change_sync(self, **changes: Any) -> None:
        """Change keys of the table of its sync's target."""
        self.change(sync={**self.table["sync"], **changes})

    def configure(self, **changes: str) -> None:
        """Change the configuration of Redis."""
        for name, value in changes.items():
            self.redis.config_set(name.replace("_", "-"), value)

    def use_guide(self) -> None:
        """Let the tenant be on the guides' contract."""
        self.use(tenant(self.sandbox, requests_per_minute=300))

    def settle(self) -> None:
        """Wait until Redis has written what it was told to keep."""
        about: Any = lambda: self.redis.info("persistence")  # noqa: E731
        running = ("aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress")
        wait_until(lambda: not any(about()[name] for name in running), 60, "Redis has written")

    def may(self, permissions: Iterable[str]) -> None:
        """Let the tenant's client have these permissions."""
        self.sandbox.put_client("platform-client", permissions=sorted(permissions))

    def work(self, *queues: str) -> None:
        """Let a worker have said just now that it lives and reads these queues."""
        about = {"name": "w-1", "queues": queues, "slots": 4, "held": 0}
        self.redis.hset("gw:workers", "w-1/a", json.dumps(about))
        self.redis.zadd("gw:alive", {"w-1/a": time.time() * 1000})

    def bridge(self, report: Mapping[str, Any] | None = None, **settings: Any) -> None:
        """Let the tenant have a bridge that listens to a queue, or to what `settings` say.

        One runs that leads and hears that, but for what is to be in its `report`.
        """
        listened = {"queues": [self.sandbox.queue_id()]} if settings.keys() <= {"secret"} else {}
        self.change(bridge={**listened, **settings})
        loaded = load_tenants(Settings.load())["default"].bridge
        assert loaded
        with suppress(RulesError):
            topics = topics_of(loaded, rules.chosen(loaded.rules)).wanted
            self.tell_of_bridge(
                **{"listens": loaded.listens, "topics": len(topics), **(report or {})}
            )

    def tell_of_bridge(self, **report: Any) -> None:
        """Let a bridge have said just now how it is."""
        now = time.time()
        usual = {"at": now, "connected_since": now - 60, "channels": 1}
        usual |= {"leads": True, "listens": True, "receives": False}
        made = BridgeReport(bridge="host:1", tenant="default", **{**usual, **report})
        Reports(store=Store(redis=self.redis)).tell(made)

    def make_channels(self, count: int) -> None:
        """Let the tenant's client have so many channels."""
        settings = Settings.load()
        services = create_app(settings, load_tenants(settings)).services
        with visiting(services, "default") as systems:
            for _ in range(count):
                offered(systems.notifications).create_channel()
        services.close()

    def doctor(self, *options: str) -> tuple[int, list[Mapping[str, str]]]:
        """Return the exit code and the findings; no secret is in what it says."""
        code = run(["doctor", "--json", *options])
        said = self.capsys.readouterr()
        assert not [word for word in SECRETS if word in said.out + said.err]
        document = json.loads(said.out)
        assert document["sound"] is (code == 0)
        findings: list[Mapping[str, str]] = document["findings"]
        return code, findings


@pytest.fixture(scope="module")
def configurable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis whose configuration tests may change."""
    with redis_server(tmp_path_factory.mktemp("configurable")) as url:
        yield url


@pytest.fixture
def patient(
    configurable: str,
    shared_sandbox: SandboxHandle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Patient]:
    """A sound installation of one tenant on the platform contract, with a living worker."""
    monkeypatch.chdir(tmp_path)
    with Redis.from_url(configurable, decode_responses=True) as redis, ExitStack() as around:
        redis.flushall()
        made = Patient(
            redis=redis,
            url=configurable,
            sandbox=shared_sandbox,
            folder=tmp_path,
            environment=monkeypatch,
            capsys=capsys,
            around=around,
        )
        made.begin()
        made.work(*QUEUES)
        yield made
        redis.config_set("requirepass", "")
        redis.acl_deluser("weak")
