"""What health checks of containers ask: this machine alone, past proxies and certificates."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.support.tls import authority
from workers.embedded.loopback import HOST
from workers.watching.health_check import is_well


class Answering(BaseHTTPRequestHandler):
    """Answers with the status that its path names."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer((HOST, 0), Answering) as made:
        thread = Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "well"), [(200, True), (204, False), (302, False), (503, False)]
)
def test_only_an_answer_200_is_well(server: HTTPServer, status: int, well: bool) -> None:
    assert is_well(f"http://{HOST}:{server.server_port}/{status}") is well


def test_nobody_who_listens_is_not_well() -> None:
    assert not is_well(f"http://{HOST}:1/200")


def test_a_proxy_is_not_asked(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://{HOST}:1")
    monkeypatch.setenv("HTTP_PROXY", f"http://{HOST}:1")
    assert is_well(f"http://{HOST}:{server.server_port}/200")


def test_a_certificate_of_other_names_is_taken(server: HTTPServer, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority(tmp_path, "192.0.2.1").server)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    assert is_well(f"https://{HOST}:{server.server_port}/200")


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_exit_code_tells_it(server: HTTPServer, status: int, code: int) -> None:
    url = f"http://{HOST}:{server.server_port}/{status}"
    done = subprocess.run([sys.executable, "-m", "workers.watching.health_check", url], check=False)
    assert done.returncode == code
