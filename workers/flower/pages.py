"""Flower's pages about queues, with this project's numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from celery import Celery
from flower.api.tasks import GetQueueLengths
from flower.urls import settings as stock
from flower.views.broker import BrokerView
from tornado.template import Loader, Template
from tornado.web import url

from workers.flower.queues import rows


class Queues:
    """Stands where Flower has a broker of its own."""

    def __init__(self, app: Celery, lease: float) -> None:
        self._app = app
        self._lease = lease

    async def queues(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Return a row for each queue; see `queues.rows`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, partial(self._rows, list(names)))

    def _rows(self, names: list[str]) -> list[dict[str, Any]]:
        # By the connection of a producer, which needs no more rights than Flower has anyhow.
        connection: Any
        with self._app.connection_for_write() as connection:
            return rows(connection.channel().client, names, self._lease)


class _OurQueues:
    """What a handler of Flower's needs to show our queues."""

    application: Any

    def get_broker(self) -> Queues:
        return Queues(self.application.capp, self.application.lease)

    def get_active_queue_names(self) -> list[str]:
        """Return the queues of our tenants, and then others that workers read."""
        known = [queue.name for queue in self.application.capp.conf.task_queues]
        active: list[str] = super().get_active_queue_names()  # type: ignore[misc]  # Flower's
        return list(dict.fromkeys([*known, *active]))


class _Broker(_OurQueues, BrokerView):  # type: ignore[misc]  # Flower has no type hints
    pass


class _Lengths(_OurQueues, GetQueueLengths):  # type: ignore[misc]  # nor here
    pass


HANDLERS = (url(r"/broker", _Broker, name="broker"), (r"/api/queues/length", _Lengths))


class Templates(Loader):
    """Flower's templates; the column `Idle since`, which Redis cannot fill, is `Delayed` here."""

    def __init__(self) -> None:
        super().__init__(stock["template_path"])

    def _create_template(self, name: str) -> Template:
        if name != "broker.html":
            return super()._create_template(name)
        text = Path(self.root, name).read_text("utf-8")
        text = text.replace("Idle since", "Delayed").replace("'idle_since'", "'messages_delayed'")
        return Template(text, name=name, loader=self)
