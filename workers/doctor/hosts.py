"""Whether an outside system can be reached from here."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from tasks.apis.calls import Timeouts
from tasks.apis.wire import NoAnswer, NoAuth, NotSent, TooLong, Wire
from workers.doctor.finding import Finding, bad, ok


def answering(wire: Wire, timeouts: Timeouts, *urls: str) -> Iterator[Finding]:
    """Find whether the hosts of `urls` answer, with whatever they like: no request is authorized.

    A URL that is left to discovery is empty, and left out.
    """
    for origin in dict.fromkeys(_origin(url) for url in urls if url):
        host = urlsplit(origin).hostname or ""
        try:
            wire.exchange(
                "GET", origin, connect=timeouts.connect, within=timeouts.read, auth=NoAuth()
            )
        except NotSent:
            yield _unreached(host)
            continue
        except NoAnswer as error:
            if error.status is None:
                yield bad(
                    f"{host} takes the connection and gives no answer",
                    "see whether it speaks the URL's scheme, with a certificate that is trusted"
                    " here, or whether a proxy stands between",
                )
                continue
        except TooLong:
            pass
        yield ok(f"{host} answers")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


def _unreached(host: str) -> Finding:
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return bad(f"{host} does not resolve", "check region or URL of the tenant, and DNS")
    return bad(f"{host} takes no connection", "check the URL of the tenant, and firewall or proxy")
