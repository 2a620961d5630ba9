"""What this process has claimed: kept by leases, and settled, by a thread with its own connection.

Nothing here depends on the connection that brought a message, so claims outlive reconnects, and the
end of the worker's event loop at a warm shutdown.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import redis

from workers.transport.claims import Claims, Settlement
from workers.watching.telemetry import describe, log

#: Seconds in which claims that end are gathered, so that one call settles several.
GATHER_SECONDS = 0.005

#: Seconds between two tries while Redis is away.
RETRY_SECONDS = 0.25

#: Seconds that the end of the process waits for Redis, to settle what has ended.
LAST_SECONDS = 5.0


def _nothing() -> None:
    return


@dataclass(kw_only=True)
class Leases:
    """The claims of one worker, each with a lease of so many seconds.

    `on_free` is called, by any thread, when a slot becomes free, `on_lost` when a claim is found to
    be somebody else's; `about` is what `status` shows of the worker. Every method returns at once:
    the thread tells Redis, again and again if need be.
    """

    claims: Claims
    worker: str
    lease: float
    on_free: Callable[[], None] = _nothing
    on_lost: Callable[[], None] = _nothing
    about: dict[str, object] = field(default_factory=dict)
    _held: dict[str, bool] = field(default_factory=dict)
    _lost: set[str] = field(default_factory=set)
    _settled: list[Settlement] = field(default_factory=list)
    _work: threading.Condition = field(default_factory=threading.Condition, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)
    _closing: bool = False

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, tag: str) -> None:
        """Keep a claim from now on."""
        with self._work:
            self._held[tag] = False
            self._start()

    def started(self, tag: str) -> None:
        """Remember that the claim's message is being carried out."""
        with self._work:
            if tag in self._held:
                self._held[tag] = True

    def end(self, tag: str) -> None:
        """End a claim: its message has been carried out, or is kept elsewhere."""
        self._settle(("end", tag, None))

    def put_back(self, tag: str, wait: float | None = None) -> None:
        """Let the claim's message come back in `wait` seconds; at once, and first, without."""
        self._settle(("return", tag, wait))

    def lose(self, tag: str) -> None:
        """Let the claim's message come back at once: the process that carried it out has died."""
        self._settle(("lost", tag, None))

    def return_unstarted(self) -> None:
        """Put back every message that is not being carried out."""
        for tag in [tag for tag, started in self._held.copy().items() if not started]:
            self.put_back(tag)

    def close(self) -> None:
        """Settle what has ended, for as long as it makes sense, and stop the thread."""
        with self._work:
            self._closing = True
            self._work.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(LAST_SECONDS)

    def _settle(self, settlement: Settlement) -> None:
        with self._work:
            if self._held.pop(settlement[1], None) is None:
                return
            self._settled.append(settlement)
            self._start()
            self._work.notify()
        self.on_free()

    def begin(self) -> None:
        """Tell of the worker from now on, before it has claimed anything."""
        with self._work:
            self._start()

    def _start(self) -> None:
        if self._thread is None:
            name = f"leases-{os.getpid()}"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        renewal = 0.0
        away = False
        while True:
            with self._work:
                if not self._settled and not self._closing:
                    self._work.wait(max(0.0, renewal - time.monotonic()))
                settled, self._settled = self._settled, []
                held = list(self._held)
                closing = self._closing
            try:
                if settled:
                    self.claims.settle(settled)
                if closing:
                    self.claims.leave(self.worker)
                    return
                settled = []
                time.sleep(GATHER_SECONDS)
                if time.monotonic() >= renewal:
                    self._renew(held)
                    renewal = time.monotonic() + self.lease / 3
                away = False
            except redis.RedisError as error:
                if not away:
                    log.warning("leases.waiting", held=len(held), error=describe(error))
                away = True
                with self._work:
                    self._settled[:0] = settled
                time.sleep(RETRY_SECONDS)

    def _renew(self, held: list[str]) -> None:
        about = json.dumps({**self.about, "held": len(held)})
        lost = set(self.claims.renew(self.worker, self.lease, about, held)) & self._held.keys()
        for tag in lost - self._lost:
            log.warning("lease.lost", tag=tag)
            self.on_lost()
        self._lost = lost
