"""What the outbox stores is what a stock client would have stored."""

from __future__ import annotations

import base64
import json
from typing import Any

from redis import Redis

from tasks.messages import SyncProfile
from workers.sending.outbox import Outbox
from workers.sending.producer import Producer
from workers.store import Store

#: What differs from one message to the next, and what nothing reads.
OWN = {
    "headers": ["origin", "enqueued_at"],
    "properties": ["delivery_tag", "reply_to", "argsrepr", "kwargsrepr"],
}


def stored(redis: Redis) -> dict[str, Any]:
    raw: Any = redis.rpop("sync")
    message: dict[str, Any] = json.loads(raw)
    message["body"] = json.loads(base64.b64decode(message["body"]))
    for part, names in OWN.items():
        for name in names:
            message[part].pop(name, None)
    return message


def test_a_message_is_stored_as_a_stock_client_stores_it(redis: Redis, redis_url: str) -> None:
    message = SyncProfile(contact_id="c-1", operation_id="op-1")
    producer = Producer(redis_url)
    producer.publish(message)
    by_celery = stored(redis)
    outbox = Outbox(app=producer.app, store=Store(redis=redis), keep=60)
    assert outbox.put(message)
    by_us = stored(redis)
    for part, found in by_celery.items():
        assert by_us[part] == found


def test_a_delayed_message_is_due_by_the_clock_of_redis(redis: Redis, redis_url: str) -> None:
    store = Store(redis=redis)
    outbox = Outbox(app=Producer(redis_url).app, store=store, keep=60)
    message = SyncProfile(contact_id="c-1", operation_id="op-1")
    ((_, queue, raw),) = outbox.sending(message, 10)
    assert queue == "sync"
    assert json.loads(raw)["headers"]["eta"].endswith("+00:00")
