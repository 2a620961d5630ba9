"""Redis, the sandbox, workers, a bridge and Flower in one process tree, on loopback ports."""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import util
from pathlib import Path

import redis
import requests

from workers.app import WorkersApp, create_app
from workers.embedded.loopback import HOST, free_port, url_of
from workers.embedded.processes import Child, ProcessTree
from workers.embedded.redis_server import RedisServer
from workers.settings import Settings
from workers.tenants import load_tenants

#: Seconds in which a process has to become ready; on a busy machine imports alone take a while.
READY = 40.0

_LISTENING = re.compile(r"^(?:sandbox|bridge) listening on (\S+)$", re.MULTILINE)

#: Variables that only an embedded system has.
PREFIX = "EMBEDDED_"

#: Variables of the caller's environment that describe another installation than this one, or lead
#: around the loopback interface, on which all of it is.
_FOREIGN = re.compile(r"(?:GENESYS|CXONE|FLOWER|CELERY)_.*|(?i:.*_PROXY)")


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """What is to be embedded.

    `variables` returns the workers' settings besides `REDIS_URL`, given the sandbox's URL; those
    that hold the secrets of a tenants file begin with `EMBEDDED_`. `furnish` prepares the sandbox,
    given its URL too, before anybody else sees it.
    """

    redis: RedisServer
    variables: Callable[[str], Mapping[str, str]]
    furnish: Callable[[str], None] = lambda _: None
    seed: int = 7
    workers: int = 2
    concurrency: int = 8


@dataclass(frozen=True, kw_only=True)
class Flower:
    """Where Flower is, and who may look at it."""

    url: str
    password: str
    user: str = "demo"


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """A bridge whose receiver is at `url`."""

    url: str
    child: Child


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """A running system; `variables` is the environment that leads to it."""

    tree: ProcessTree
    app: WorkersApp
    variables: Mapping[str, str]
    sandbox_url: str
    #: None where no tenant has one.
    bridge: Bridge | None
    flower: Flower | None


@contextmanager
def embedded(blueprint: Blueprint, folder: Path, say: Callable[[str], None]) -> Iterator[Embedded]:
    """Run the system until the block ends; all of it is ready when the block begins.

    Raises `ProcessFailed` with the last words of a process that did not come up.
    """
    with ProcessTree(folder) as tree:
        say(f"Redis: {blueprint.redis.description}")
        redis_url = _start_redis(tree, blueprint.redis)
        sandbox_url = _start_sandbox(tree, blueprint.seed)
        blueprint.furnish(sandbox_url)
        say(f"sandbox: {sandbox_url}/sandbox/summary")
        variables = {"REDIS_URL": redis_url, **blueprint.variables(sandbox_url)}
        app = _app(variables)
        await_flower = _start_flower(tree, variables)
        await_bridge = _start_bridge(tree, app, variables)
        _start_workers(tree, blueprint, app, variables)
        say(f"workers: {blueprint.workers} processes, {blueprint.concurrency} threads each")
        yield Embedded(
            tree=tree,
            app=app,
            variables=variables,
            sandbox_url=sandbox_url,
            bridge=await_bridge(),
            flower=await_flower(),
        )


def inherited() -> dict[str, str]:
    """Return this process's environment without another installation's settings and proxies."""
    own = {name.upper() for name in Settings.model_fields}
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in own and not _FOREIGN.fullmatch(name)
    }


def _start_redis(tree: ProcessTree, server: RedisServer) -> str:
    port = free_port()
    child = tree.start("redis", server.command(port, tree.folder), inherited())
    with redis.Redis(host=HOST, port=port, socket_timeout=2) as client:
        tree.wait_for(child, lambda: _answers(client), READY)
    return f"redis://{HOST}:{port}/0"


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def _start_sandbox(tree: ProcessTree, seed: int) -> str:
    command = [*_cli("sandbox"), "--port", "0", "--seed", str(seed)]
    child = tree.start("sandbox", command, inherited())
    return tree.wait_for(child, lambda: _LISTENING.search(child.said()), READY)[1]


def _app(variables: Mapping[str, str]) -> WorkersApp:
    """Return the app that `variables` alone describe: no environment, no `.env` file."""
    values = {name.lower(): value for name, value in variables.items()}
    settings = Settings(_env_file=None, _env_prefix=PREFIX, **values)  # type: ignore[arg-type]  # pydantic-settings' own arguments
    return create_app(settings, load_tenants(settings, variables))


def _start_workers(
    tree: ProcessTree, blueprint: Blueprint, app: WorkersApp, variables: Mapping[str, str]
) -> None:
    for number in range(1, blueprint.workers + 1):
        name = f"worker-{number}"
        command = [*_cli("worker"), "--name", name, "--concurrency", str(blueprint.concurrency)]
        child = tree.start(name, command, {**inherited(), **variables})
    wanted = blueprint.workers
    tree.wait_for(child, lambda: len(app.control.ping(timeout=0.5) or ()) == wanted, READY)


def _start_bridge(
    tree: ProcessTree, app: WorkersApp, variables: Mapping[str, str]
) -> Callable[[], Bridge | None]:
    """Start a bridge where a tenant has one, and return what waits until it listens."""
    if not any(tenant.bridge for tenant in app.services.tenants.values()):
        return lambda: None
    own = {"RECEIVER_ADDRESS": f"{HOST}:0"}
    child = tree.start("bridge", _cli("bridge"), {**inherited(), **variables, **own})

    def wait() -> Bridge:
        listening = tree.wait_for(child, lambda: _LISTENING.search(child.said()), READY)
        return Bridge(url=listening[1], child=child)

    return wait


def _start_flower(tree: ProcessTree, variables: Mapping[str, str]) -> Callable[[], Flower | None]:
    """Start Flower where it is installed, and return what waits until it answers."""
    if not util.find_spec("flower"):
        return lambda: None
    flower = Flower(url=url_of(HOST, port := free_port()), password=secrets.token_urlsafe(12))
    # No secret of a tenant's. Its own is no argument: those are for everybody on this machine.
    known = {name: variables[name] for name in ("REDIS_URL", "TENANTS_FILE") if name in variables}
    login = {"FLOWER_USER": flower.user, "FLOWER_PASSWORD": flower.password}
    command = [*_cli("flower"), "--address", HOST, "--port", str(port)]
    child = tree.start("flower", command, {**inherited(), **known, **login})

    def wait() -> Flower:
        tree.wait_for(child, lambda: is_healthy(f"{flower.url}/healthcheck"), READY)
        return flower

    return wait


def is_healthy(url: str) -> bool:
    """Return whether `url`, which is on this machine, answers; no proxy is asked."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=2).ok
        except requests.RequestException:
            return False


def _cli(command: str) -> list[str]:
    return [sys.executable, "-m", "workers.cli", command]
