"""Whether a Redis can be reached, and which it is."""

from __future__ import annotations

from collections.abc import Iterator

import redis

from tasks.errors import SettingsError
from workers import broker
from workers.doctor.finding import Finding, bad, ok


def reached(variable: str, url: str) -> Iterator[Finding]:
    """Find whether the Redis at `url`, the value of `variable`, answers and can be used."""
    where = broker.parse(url)
    try:
        with where.connect() as client:
            broker.check(client)
            yield ok(_described(where, client))
    except SettingsError as error:
        problem, _, remedy = str(error).removeprefix("REDIS_URL: ").rpartition(": ")
        yield bad(f"{variable}: {problem}", remedy)
    except redis.AuthenticationError:
        yield bad(
            f"{where} refuses the login", f"put its user and password, as they are, into {variable}"
        )
    except redis.exceptions.NoPermissionError:
        yield bad(f"{where} lets this user do nothing", "give it the permissions that we need")
    except (redis.ConnectionError, redis.TimeoutError) as error:
        yield bad(
            f"{where} does not answer ({type(error).__name__})",
            f"start it, or name another one by {variable}",
        )


def _described(where: broker.Broker, client: redis.Redis) -> str:
    try:
        version = f"Redis {client.info('server').get('redis_version', 'of unknown version')}"
    except redis.ResponseError:
        version = "a Redis that does not tell its version"
    way = "by TLS" if where.encryption else "without TLS"
    return f"{version} at {where}, {way}"
