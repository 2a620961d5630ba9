"""Users of Redis by least privilege: each can do its part, and is refused everything else."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError
from redis.retry import Retry

from tests.support import program
from tests.support.cluster import Cluster
from tests.support.flower import flower
from tests.support.letters import park
from tests.support.npm import npm_packages
from tests.support.restricted_redis import (
    DEPLOY,
    ROOT,
    RULES,
    RestrictedRedis,
    restricted_redis,
    rules,
)
from tests.support.tenants import tenant, tenants_file
from tests.support.waiting import wait_until
from workers.app import queues
from workers.cli.main import run
from workers.doctor.rights import allowed
from workers.embedded.loopback import HOST
from workers.embedded.redis_server import find
from workers.letters.dead_letters import DeadLetter, DeadLetters
from workers.letters.sealing import Seal
from workers.limits.priority import lists
from workers.limits.rates import QUEUES
from workers.sandbox.testing import SandboxHandle
from workers.store import Store

__all__ = ["npm_packages"]

EXAMPLES = DEPLOY / "examples"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestrictedRedis]:
    with restricted_redis(tmp_path_factory.mktemp("restricted")) as running:
        yield running


@pytest.fixture
def root(server: RestrictedRedis) -> Iterator[Redis]:
    """An empty Redis of which nothing was refused yet, as who may do everything sees it."""
    with server.connect(ROOT) as client:
        client.flushall()
        client.acl_log_reset()
        yield client


@pytest.fixture
def restricted(
    root: Redis, server: RestrictedRedis, sandbox: SandboxHandle, tmp_path: Path
) -> Cluster:
    """A cluster whose workers log in as `worker`."""
    url = server.url("worker")
    return Cluster(redis=root, redis_url=url, sandbox=sandbox, folder=tmp_path)


STOCK = """
import json, sys
from celery import Celery
app = Celery(broker=sys.argv[1])
for queue in sys.argv[2:]:
    for priority in (None, 0, 3, 6, 9):
        app.send_task("sync_profile", kwargs={"contact_id": "c"}, queue=queue, priority=priority)
"""


def send(server: RestrictedRedis, user: str, folder: Path, *names: str) -> None:
    """Let a stock client without a result backend send five messages to each queue."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", STOCK, server.url(user), *names],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("user", "suffix"), [("producer", ""), ("producer-acme", ".acme"), ("requester", "")]
)
def test_a_stock_client_sends_to_every_queue_of_its_tenant_at_every_priority(
    server: RestrictedRedis, root: Redis, tmp_path: Path, user: str, suffix: str
) -> None:
    names = [queue + suffix for queue in QUEUES]
    send(server, user, tmp_path, *names)
    assert [sum(root.llen(name) for name in lists(queue)) for queue in names] == [5] * len(QUEUES)
    assert server.refused() == []


@pytest.mark.parametrize("example", ["producer.py", "producer.mjs"])
def test_a_producer_that_waits_is_given_its_result(
    server: RestrictedRedis,
    restricted: Cluster,
    request: pytest.FixtureRequest,
    example: str,
) -> None:
    restricted.sandbox.put("contacts", "c-1", {"attributes": {"tier": "gold"}})
    restricted.sandbox.put("customers", "c-1", {})
    script, start = EXAMPLES / example, [sys.executable, "-I"]
    url = server.url("requester")
    if example == "producer.mjs":
        packages: Path = request.getfixturevalue("npm_packages")
        script, start = packages.with_name(example), ["node"]
        script.write_bytes((EXAMPLES / example).read_bytes())
        url += "?allowUsernameInURI=true"
    with restricted.worker():
        done = subprocess.run(
            [*start, str(script), "sync", "sync_profile", json.dumps({"contact_id": "c-1"})],
            cwd=restricted.folder,
            env={"PATH": os.environ["PATH"], "REDIS_URL": url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert json.loads(done.stdout or "{}").get("status") == "done", done.stderr
    assert server.refused() == []


def test_a_worker_carries_messages_out_and_lacks_no_right(
    server: RestrictedRedis, restricted: Cluster
) -> None:
    for name in ("p-1", "p-2"):
        restricted.sandbox.put("profiles", name, {"attributes": {}})
    app = restricted.app()
    with restricted.worker():
        arguments = {"source_profile_ids": ["p-2"], "target_profile_id": "p-1"}
        sent = app.services.producer.app.send_task("merge_profiles", kwargs=arguments)
        refused = app.services.producer.app.send_task("sync_profile", kwargs={"contact_id": "no"})
        assert restricted.ending(sent.id)["status"] == "SUCCESS"
        assert restricted.ending(refused.id)["status"] == "FAILURE"
    names = [each.name for each in queues(restricted.tenants())]
    (rights,) = allowed(app.services.store.redis, names)
    app.services.close()
    assert rights.state == "ok", rights.what
    assert [each for each in server.refused() if not each.endswith(": acl")] == []


def test_a_bridge_leads_as_a_worker(server: RestrictedRedis, restricted: Cluster) -> None:
    table = {**tenant(restricted.sandbox), "bridge": {"queues": ["q-1"]}}
    variables = {
        "REDIS_URL": server.url("worker"),
        "TENANTS_FILE": tenants_file(restricted.folder, default=table),
        "RECEIVER_ADDRESS": f"{HOST}:0",
    }
    with program.running(["bridge"], variables, restricted.folder, "bridge") as bridge:
        bridge.says("bridge.connected")
    assert server.refused() == []


def test_flower_shows_workers_and_tasks(
    server: RestrictedRedis, restricted: Cluster, tmp_path: Path
) -> None:
    with restricted.worker(), flower(server.url("flower"), tmp_path) as running:
        wait_until(lambda: running.get("/api/workers?refresh=1"), 60, "Flower knows the worker")
        send(server, "producer", tmp_path, "sync")
        wait_until(lambda: len(running.get("/api/tasks")) == 5, 60, "Flower has seen the tasks")
        (worker,) = running.get("/api/workers").values()
        assert server.refused() == []
        rows = {row["name"]: row for row in running.get("/api/queues/length")["active_queues"]}
    assert "sync_profile" in worker["registered"]
    counts = [rows["sync"][what] for what in ("messages_ready", "messages_delayed", "consumers")]
    assert counts == ([0, 0, 1] if rules() == RULES[7] else [None, None, None])


@pytest.fixture
def operating(
    server: RestrictedRedis, restricted: Cluster, monkeypatch: pytest.MonkeyPatch
) -> Cluster:
    """The cluster to which this process' environment leads, as `operator`."""
    for name, value in restricted.variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDIS_URL", server.url("operator"))
    return restricted


def test_an_operator_runs_the_commands(
    server: RestrictedRedis, operating: Cluster, root: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    letter = DeadLetter(
        id="default:m-1",
        task="sync_profile",
        queue="sync",
        tenant="default",
        status="failed",
        reason="gave up",
        attempts=8,
        at=1.0,
    )
    park(DeadLetters(store=Store(redis=root), seal=Seal()), letter, b'{"contact_id": "c-1"}')
    lines = operating.folder / "lines"
    lines.write_text('{"contact_id": "c-1"}\n')
    for command in (
        "status --json",
        "rates set merge=1/s",
        "dead-letters list",
        "dead-letters show default:m-1 --payload",
        "dead-letters replay default:m-1",
        "audit tail",
        f"enqueue sync_profile --json {lines}",
    ):
        assert run(command.split()) == 0, (command, capsys.readouterr().err)
    assert root.llen("sync") == 2
    assert server.refused() == []


def test_the_doctor_finds_an_operator_no_right_short(
    operating: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["doctor", "--json", "--task", "sync_profile"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    found = {each["check"]: each for each in findings if each["check"].startswith("redis: ")}
    assert {"redis: rights", "redis: scripts", "redis: persistence"} <= found.keys()
    assert found["redis: rights"]["state"] == "ok"
    assert "does not tell" not in json.dumps(found)


#: What nobody may do but who looks after Redis itself.
ADMINISTRATION = (
    "CONFIG SET maxmemory 1",
    "FLUSHALL",
    "FLUSHDB",
    "KEYS *",
    "SHUTDOWN NOSAVE",
    "SLOWLOG GET",
    "ACL LIST",
    "ACL SETUSER producer +@all",
    "REPLICAOF 127.0.0.1 1",
    "MONITOR",
    "CLIENT KILL TYPE normal",
    "MIGRATE 127.0.0.1 1 merge 0 1",
    "SAVE",
)

#: What shows or changes what others have put there.
LOOKING = (
    "LRANGE merge 0 -1",
    "LINDEX merge 0",
    "RPOP merge",
    "BRPOP merge 1",
    "DEL merge",
    "RENAME merge sync",
    "DUMP merge",
    "HGETALL gw:dead-letters",
    "HGETALL gw:dead-letters:payloads",
    "GET gw:token:default:genesys",
    "XRANGE gw:audit:default - +",
    "SET gw:pause:default:genesys 1",
    "DEL gw:dead-letters",
    "GET some-other-key",
    "HSET gw:rates merge 1000",
)

PRODUCING = (
    *ADMINISTRATION,
    *LOOKING,
    "EVAL return(1) 0",
    "EVALSHA ffffffffffffffffffffffffffffffffffffffff 0",
    "SCRIPT FLUSH",
    "CONFIG GET *",
    "INFO",
    "SCAN 0",
    "PUBLISH /0.celery.pidbox shutdown",
    "PSUBSCRIBE *",
    "SUBSCRIBE /0.celeryev/task.received",
    "LPUSH gw:delayed:merge x",
    "LPUSH celery x",
    "LPUSH another x",
    "LPUSH merge.a3 x",
    "SADD _kombu.binding.celery.pidbox x",
    "SADD _kombu.binding.reply.celery.pidbox x",
)

REFUSED = {
    "producer": (*PRODUCING, "LPUSH merge.acme x", "GET celery-task-meta-x", "SUBSCRIBE x"),
    "producer-acme": (*PRODUCING, "LPUSH merge x", "LPUSH merge.other x", "LLEN merge"),
    "requester": (*PRODUCING, "LPUSH merge.acme x", "SET celery-task-meta-x 1", "SUBSCRIBE x"),
    "worker": (*ADMINISTRATION, "CONFIG GET *", "GET some-other-key", "PUBLISH x y"),
    "operator": (*ADMINISTRATION, "GET some-other-key", "PUBLISH x y"),
    "flower": (
        *ADMINISTRATION,
        *LOOKING,
        "CONFIG GET *",
        "INFO",
        "SCAN 0",
        "SCRIPT FLUSH",
        "LPUSH merge x",
        "GET celery-task-meta-x",
        "PUBLISH celery-task-meta-x y",
    ),
}


@pytest.mark.parametrize("user", REFUSED)
def test_what_is_not_a_users_part_is_refused(
    server: RestrictedRedis, root: Redis, user: str
) -> None:
    root.lpush("merge", "a message")
    root.set("some-other-key", "x")
    done = [command for command in REFUSED[user] if not _is_refused(server, user, command)]
    assert done == []
    assert root.lrange("merge", 0, -1) == [b"a message"]


def _is_refused(server: RestrictedRedis, user: str, command: str) -> bool:
    with server.connect(user) as client:
        try:
            client.execute_command(*command.split())
        except NoPermissionError:
            return True
    return False


@pytest.mark.parametrize("user", ["producer", "requester", "flower"])
def test_no_script_reads_what_its_user_may_not(
    server: RestrictedRedis, root: Redis, user: str
) -> None:
    root.lpush("merge", "a message")
    script = "return redis.pcall('LRANGE', 'merge', 0, -1)"
    with server.connect(user) as client, pytest.raises(ResponseError) as refusal:
        client.eval(script, 0)
    assert re.search("NOPERM|can't run this command|no permissions", str(refusal.value))


def test_from_redis_7_on_no_key_can_be_made_another_kind(
    server: RestrictedRedis, root: Redis
) -> None:
    if rules() != RULES[7]:
        pytest.skip("this Redis is older than 7: it allows commands and keys apart from each other")
    assert _is_refused(server, "producer", "SADD merge x")
    assert _is_refused(server, "producer", "LPUSH _kombu.binding.merge x")


def test_who_has_not_logged_in_can_do_nothing(server: RestrictedRedis) -> None:
    once = Retry(NoBackoff(), 0)
    with (
        Redis(host=HOST, port=server.port, retry=once) as client,
        pytest.raises(AuthenticationError),
    ):
        client.lpush("merge", "x")


def test_redis_does_not_start_before_passwords_are_set() -> None:
    command: list[Any] = [find().program, rules(), "--port", "0"]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    assert done.returncode == 1


@pytest.mark.parametrize("version", RULES)
@pytest.mark.parametrize("user", ["producer", "requester", "worker", "operator"])
def test_every_kind_of_queue_is_named(version: int, user: str) -> None:
    keys = rights(version)[user]["~"]
    assert {key.rstrip("*") for key in keys} >= set(QUEUES)


#: What Redis 7 needs besides, or can allow without allowing more with it.
BESIDES = {
    "worker": {"~": {"%R~*"}},
    "operator": {"~": {"%R~*"}},
    "flower": {"~": {"*", "gw:delayed:*", "gw:alive", "gw:workers"}, "+": {"zcount", "hgetall"}},
}


@pytest.mark.parametrize("user", REFUSED)
def test_users_of_either_version_have_the_same_rights(user: str) -> None:
    older, newer = (rights(version)[user] for version in (6, 7))
    besides = BESIDES.get(user, {})
    assert newer == {kind: older[kind] | besides.get(kind, set()) for kind in older}


def rights(version: int) -> dict[str, dict[str, set[str]]]:
    """Return the commands, keys and channels of each user, all of its selectors together."""
    found: dict[str, dict[str, set[str]]] = {}
    for line in RULES[version].read_text("utf-8").splitlines():
        if line.startswith("user "):
            _, user, _, *words = shlex.split(line)
            own = found.setdefault(user, {"+": set(), "-": set(), "~": set(), "&": set()})
            for word in (each.strip("()") for each in words):
                kind = "~" if word.startswith("%") else word[0]
                own.get(kind, set()).add(word.lstrip("+-~&"))
    return found
