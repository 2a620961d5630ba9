"""fakeredis as a server of its own, for machines without any redis-server: `fake_redis PORT`.

It speaks enough of the protocol for one laptop; it is slower, and nothing in it survives.
"""

from __future__ import annotations

import sys

from workers.embedded.loopback import HOST


def main(port: int) -> None:
    """Serve on a loopback port until the process is ended."""
    from fakeredis import TcpFakeServer

    with TcpFakeServer((HOST, port), server_version=(7, 4)) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
