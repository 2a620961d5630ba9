"""A real browser without a window: Chromium, told what to do by its own DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.waiting import wait_until

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: It asks nobody but the pages it is sent to, and leaves nothing behind.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--proxy-server=direct://", "--window-size=1400,900"),
    "--remote-debugging-port=0",
)

START_SECONDS, ANSWER_SECONDS, STOP_SECONDS = 60, 30, 20

#: Bytes of the longest page.
LARGEST = 64 * 1024 * 1024


class NotNow(Exception):
    """Raised where the browser cannot do what it is told: its page is about to be another one."""


@dataclass(kw_only=True)
class Browser:
    """One tab. `asked` are the URLs that its pages have asked for, `errors` what went wrong."""

    _socket: aiohttp.ClientWebSocketResponse
    _loop: asyncio.AbstractEventLoop
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _status: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def open(self, url: str) -> int:
        """Go to a page, wait until it has loaded, and return the status that it came with."""
        self._status = 0
        self._do("Page.navigate", url=url)
        page = url.rpartition("@")[2]
        self.wait_for("document.readyState === 'complete'", f"{page} is loaded")
        # What is told of the answer may come after the page itself; it is noted while one asks.
        wait_until(lambda: self.run("1") and self._status, ANSWER_SECONDS, f"{page} has a status")
        return self._status

    def run(self, script: str) -> Any:
        """Return what an expression is on the page, in JSON's terms."""
        answer = self._do("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self) -> str:
        """Return what a person reads on the page."""
        return str(self.run("document.body.innerText"))

    def html(self) -> str:
        """Return all of the page, as its scripts have made it."""
        return str(self.run("document.documentElement.outerHTML"))

    def wait_for(self, script: str, what: str) -> None:
        """Wait until an expression is true on the page, or on the one that comes."""

        def holds() -> Any:
            with suppress(NotNow):
                return self.run(script)

        wait_until(holds, ANSWER_SECONDS, what, pause=0.05)

    def _do(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._loop.run_until_complete(self.do(method, **parameters))

    async def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; note the events that come before it."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                message = await self._socket.receive_json()
                if message.get("id") == number:
                    if "error" in message:
                        raise NotNow(message["error"])
                    result: dict[str, Any] = message["result"]
                    return result
                self._note(message["method"], message["params"])

    def _note(self, event: str, told: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.asked.append(told["request"]["url"])
        elif event == "Network.responseReceived" and told["type"] == "Document":
            self._status = told["response"]["status"]
        elif event == "Runtime.exceptionThrown":
            self.errors.append(told["exceptionDetails"]["text"])
        elif event == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.errors.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")


def program() -> str:
    """Return Chromium; skip the test where there is none, unless one has to be there."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and not os.environ.get("REQUIRE_BROWSER"):
        pytest.skip("no Chromium is installed")
    assert found, "REQUIRE_BROWSER is set, and no Chromium is installed"
    return found


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Run a browser that remembers nothing of another one, until the block ends."""
    profile = folder / "profile"
    command = [program(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    with (folder / "browser.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        port = _port(process, profile)
        with asyncio.Runner() as runner:
            session, socket = runner.run(_connect(port))
            tab = Browser(_socket=socket, _loop=runner.get_loop())
            for domain in ("Page", "Runtime", "Network", "Log"):
                runner.run(tab.do(f"{domain}.enable"))
            try:
                yield tab
            finally:
                runner.run(session.close())
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen[bytes], profile: Path) -> int:
    """Wait until the browser has told where it listens, and return its port."""
    told = profile / "DevToolsActivePort"

    def is_told() -> bool:
        assert process.poll() is None, "the browser has ended"
        return told.exists() and told.read_text().count("\n") > 0

    wait_until(is_told, START_SECONDS, "the browser listens")
    return int(told.read_text().splitlines()[0])


async def _connect(
    port: int,
) -> tuple[aiohttp.ClientSession, aiohttp.ClientWebSocketResponse]:
    session = aiohttp.ClientSession()
    async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
        tabs = await answer.json()
    url = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
    return session, await session.ws_connect(url, max_msg_size=LARGEST)
