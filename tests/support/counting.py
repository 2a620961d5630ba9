"""A task that does nothing but leave its id, for this project's app and for stock Celery's.

A worker is told by `COUNTING` which of the two it is; both have the same settings otherwise.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from redis import Redis

from workers.app import create_app, delivery_settings, queues
from workers.settings import Settings
from workers.tenants import load_tenants

TASK = "count"
QUEUE = "attributes"

#: The ids of the messages that were carried out, and how many by each worker.
COUNTED, BY_WORKER = "counted", "counted:by"

#: What stock Celery has for messages of dead workers; its defaults are an hour, and five minutes.
RESTORING = {"visibility_timeout": 2, "unacked_mutex_expire": 5}


def make_app() -> Any:
    """Return the app that the environment asks for."""
    settings = Settings.load()
    tenants = load_tenants(settings)
    claims = os.environ["COUNTING"] == "claims"
    app: Any = create_app(settings, tenants) if claims else stock(settings, queues(tenants))
    redis = Redis.from_url(settings.redis_url)
    ours = {"Request": "workers.consuming.masking:MaskedRequest"} if claims else {}

    def count(self: Any) -> None:
        with redis.pipeline(transaction=True) as transaction:
            transaction.sadd(COUNTED, self.request.id)
            transaction.hincrby(BY_WORKER, self.request.hostname, 1)
            transaction.execute()

    app.task(name=TASK, bind=True, ignore_result=True, **ours)(count)
    return app


def stock(settings: Settings, task_queues: list[Any]) -> Celery:
    """Return an app of stock Celery on its own transport, with the settings of ours."""
    conf = delivery_settings(settings)
    for ours in ("worker_consumer", "task_routes"):
        del conf[ours]
    app = Celery("stock", broker=settings.redis_url, set_as_current=False)
    app.conf.update(conf, task_queues=task_queues, broker_transport_options=RESTORING)
    return app


def __getattr__(name: str) -> object:
    """Make `app` when a worker asks for it: tests import the names alone."""
    if name != "app":
        raise AttributeError(name)
    globals()[name] = make_app()
    return globals()[name]
