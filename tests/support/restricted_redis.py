"""A Redis with the users of `workers/deploy`: those for the version of Redis that is here."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NotUp

from tests.support.waiting import wait_until
from workers.embedded.loopback import HOST, free_port
from workers.embedded.redis_server import find

DEPLOY = Path(__file__).parents[2] / "workers" / "deploy"

#: By the first version of Redis that takes them.
RULES = {6: DEPLOY / "redis-6-acl.conf", 7: DEPLOY / "redis-acl.conf"}

#: Who may do everything, for tests to look on.
ROOT = "root"

START_SECONDS = 60


def password(user: str) -> str:
    return f"password-of-{user}"


def rules() -> Path:
    """Return the file for the Redis that is here; the test is skipped where none can be had."""
    server = find()
    if server.program is None:
        pytest.skip("fakeredis knows no users")
    version = re.search(r"redis-server (\d+)", server.description)
    return RULES[7 if version and int(version[1]) >= 7 else 6]


def users(text: str) -> str:
    """Return rules with passwords, and with `ROOT` among the users."""
    own = re.sub(
        r"#SHA256_OF_(\w+)", lambda name: "#" + _digest(name[1].lower().replace("_", "-")), text
    )
    return f"{own}\nuser {ROOT} on #{_digest(ROOT)} ~* &* +@all\n"


def _digest(user: str) -> str:
    return sha256(password(user).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class RestrictedRedis:
    """A running server."""

    port: int

    def url(self, user: str) -> str:
        return f"redis://{user}:{password(user)}@{HOST}:{self.port}/0"

    def connect(self, user: str) -> Redis:
        return Redis.from_url(self.url(user))

    def refused(self) -> list[str]:
        """Return what was refused to whom, but for introductions; they are forgotten then."""
        with self.connect(ROOT) as root:
            found = [f"{each['username']}: {each['object']}" for each in root.acl_log()]
            root.acl_log_reset()
        return [each for each in found if not re.search(r": client(\|setinfo)?$", each)]


@contextmanager
def restricted_redis(folder: Path) -> Iterator[RestrictedRedis]:
    """Run one until the block ends."""
    included = folder / "redis-acl.conf"
    included.write_text(users(rules().read_text("utf-8")))
    running = RestrictedRedis(port=free_port())
    configuration = folder / "redis.conf"
    configuration.write_text(f"include {included}\n")
    program, *options = find().command(running.port, folder)
    with subprocess.Popen(
        [program, str(configuration), *options], stdout=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(lambda: _answers(running, process), START_SECONDS, "Redis answers")
            yield running
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _answers(running: RestrictedRedis, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "Redis does not take its configuration"
    with running.connect(ROOT) as root:
        try:
            return bool(root.ping())
        except NotUp:
            return False
