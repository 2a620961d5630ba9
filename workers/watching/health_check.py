"""`python -m workers.watching.health_check URL`: what the health check of a container asks.

The exit code is 0 where the URL, which is of this machine, answers 200 in time. Nothing else of the
project is imported, since it runs every few seconds.
"""

from __future__ import annotations

import ssl
import sys
from http import client
from urllib.parse import urlsplit

SECONDS = 3.0


def is_well(url: str, seconds: float = SECONDS) -> bool:
    """Return whether `url` answers 200. Its certificate is for other names than the loopback's."""
    connection = _connection(url, seconds)
    try:
        connection.request("GET", urlsplit(url).path or "/")
        return connection.getresponse().status == client.OK
    except (OSError, client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(url: str, seconds: float) -> client.HTTPConnection:
    """Return a connection that goes past the proxy which the environment may name."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "http":
        return client.HTTPConnection(host, port, timeout=seconds)
    context = ssl._create_unverified_context()  # noqa: S323  # see is_well
    return client.HTTPSConnection(host, port, timeout=seconds, context=context)


if __name__ == "__main__":
    sys.exit(not is_well(sys.argv[1]))
