"""Hearing Celery's events, as Flower does: what is told to anybody who listens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery.events import EventReceiver

from tests.support.waiting import wait_until
from workers.app import WorkersApp


@contextmanager
def hearing(app: WorkersApp, kind: str = "*") -> Iterator[list[dict[str, Any]]]:
    """Collect the events of a kind, or all of them, from before the body begins."""
    heard: list[dict[str, Any]] = []
    listening = threading.Event()
    handlers = {"test-listening": lambda _: listening.set(), kind: heard.append}
    with app.connection_for_read() as connection, app.events.default_dispatcher() as dispatcher:
        receiver = EventReceiver(connection, handlers=handlers, app=app)
        thread = threading.Thread(target=receiver.capture, kwargs={"wakeup": False})
        thread.start()

        def is_heard() -> bool:
            dispatcher.send("test-listening")
            return listening.wait(0.05)

        try:
            # Redis keeps no event for who subscribes after it.
            wait_until(is_heard, 20, "the events are listened to")
            yield heard
        finally:
            receiver.should_stop = True
            thread.join(10)
