"""The shared state in Redis: one connection pool, prefixed keys, scripts by name.

Everything that workers of a cluster share lives in the broker's database under the prefix `gw:`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import kombu.exceptions
import redis
from redis.commands.core import Script
from redis.exceptions import NoScriptError

from workers import broker

PREFIX = "gw"

#: Errors of the broker and the shared state: nobody's fault, the message has to come again.
INFRASTRUCTURE = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.ReadOnlyError,
    redis.exceptions.OutOfMemoryError,
    kombu.exceptions.OperationalError,
)

#: The keys and the arguments that a script is run with.
Call = tuple[list[str], list[Any]]

#: A replica, a master without replicas, a full disk or memory: redis-py does not tell them apart
#: where a script met them.
_TAKES_NO_WRITES = re.compile(r"-?\b(READONLY|NOREPLICAS|MISCONF|OOM)\b")


def key(*parts: str) -> str:
    """Return the name of one of our keys: `gw:part:part`."""
    return ":".join((PREFIX, *parts))


@dataclass(frozen=True, kw_only=True)
class Store:
    """A Redis database and the Lua scripts that work on it."""

    redis: redis.Redis
    _scripts: dict[str, Script] = field(default_factory=dict, repr=False)

    @classmethod
    def connect(cls, url: str) -> Store:
        """Return the store at `url`, in any form of `broker.parse`; it connects on first use.

        Raises `SettingsError` then, where the server cannot carry this project.
        """
        return cls(redis=broker.parse(url).connect())

    def run(self, name: str, keys: list[str], arguments: list[Any]) -> Any:
        """Run `scripts/<name>.lua` on `keys` and return its answer.

        A script that Redis forgot is loaded again. Raises `redis.ReadOnlyError` where the server
        takes no writes at the moment.
        """
        try:
            return self._script(name)(keys=keys, args=arguments)
        except redis.ResponseError as error:
            raise told_apart(error) from None

    def run_each(self, name: str, calls: Sequence[Call]) -> list[Any]:
        """Run `scripts/<name>.lua` for each of `calls`, in their order, and return the answers.

        They go in one pipeline: other clients' commands may run between two of them. Raises the
        first error, as `run` does; which of the others have run is unknown then.
        """
        answers = self._pipelined(name, calls)
        forgotten = [n for n, each in enumerate(answers) if isinstance(each, NoScriptError)]
        if forgotten:
            self.load(name)
            again = self._pipelined(name, [calls[n] for n in forgotten])
            for n, answer in zip(forgotten, again, strict=True):
                answers[n] = answer
        for answer in answers:
            if isinstance(answer, redis.ResponseError):
                raise told_apart(answer)
        return answers

    def _pipelined(self, name: str, calls: Sequence[Call]) -> list[Any]:
        with self.redis.pipeline(transaction=False) as pipeline:
            for keys, arguments in calls:
                pipeline.evalsha(self.sha(name), len(keys), *keys, *arguments)
            # redis-py would quote the whole command in an error that it raised itself.
            return pipeline.execute(raise_on_error=False)

    def sha(self, name: str) -> str:
        """Return the digest under which Redis knows the script."""
        return str(self._script(name).sha)

    def load(self, name: str) -> None:
        """Let Redis learn the script."""
        self.redis.script_load(self._script(name).script)

    def _script(self, name: str) -> Script:
        if name not in self._scripts:
            self._scripts[name] = self.redis.register_script(_text(name))
        return self._scripts[name]

    def now(self) -> float:
        """Return the epoch time in seconds by the clock of Redis, which all workers share."""
        seconds, microseconds = self.redis.time()
        return seconds + microseconds / 1e6


def told_apart(error: redis.ResponseError) -> redis.ResponseError:
    """Return `error`, as a `redis.ReadOnlyError` where it says that no writes are taken."""
    text = str(error)
    return redis.ReadOnlyError(text) if _TAKES_NO_WRITES.search(text) else error


def _text(name: str) -> str:
    """Return a script, with another in the place of each line `-- include <name>`."""
    text = resources.files("workers.scripts").joinpath(f"{name}.lua").read_text("utf-8")
    return re.sub(r"^-- include (\w+)$", lambda included: _text(included[1]), text, flags=re.M)
