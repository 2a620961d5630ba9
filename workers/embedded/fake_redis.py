"""fakeredis as a server of its own, for machines without any redis-server: `fake_redis PORT`.

It speaks enough of the protocol for one laptop; it is slower, and nothing in it survives.
"""

from __future__ import annotations

import sys
from typing import Any

from redis import ResponseError

from workers.embedded.loopback import HOST


def main(port: int) -> None:
    """Serve on a loopback port until the process is ended."""
    from fakeredis import TcpFakeServer

    with TcpFakeServer((HOST, port), server_version=(7, 4)) as server:
        server.RequestHandlerClass = lasting(server.RequestHandlerClass)
        server.serve_forever()


def lasting(handler: Any) -> Any:
    """Return a handler that goes on after an error, such as NOSCRIPT, as a real server does.

    fakeredis's own answers the error and closes the connection.
    """

    class Lasting(handler):  # type: ignore[misc]  # known at run time only
        def setup(self) -> None:
            super().setup()
            read = self.current_client.read_response

            def answer(*arguments: Any, **options: Any) -> Any:
                try:
                    return read(*arguments, **options)
                except ResponseError as error:
                    return error

            self.current_client.read_response = answer

    return Lasting


if __name__ == "__main__":
    main(int(sys.argv[1]))
