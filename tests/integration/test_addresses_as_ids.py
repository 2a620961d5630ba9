"""Customers whose ids are addresses, as stores make them: what is kept of them in Redis."""

from __future__ import annotations

from redis import Redis

from tasks.apis.customers import CustomerAttribute
from workers.letters.sealing import Seal
from workers.limits.record_buckets import RecordBuckets
from workers.remembering.ledger import Claim
from workers.remembering.pending import PendingInRedis
from workers.store import Store

ANN, BOB = "email_ann@example.com", "email_bob@example.com"


def pending(redis: Redis) -> PendingInRedis:
    claim = Claim(operation_id="a", tenant="acme", owner="", attempts=1, first_at=1.0)
    return PendingInRedis(store=Store(redis=redis), claim=claim, seal=Seal(), keep=60)


def keys(redis: Redis) -> list[str]:
    return [bytes(name).decode() for name in redis.scan_iter("*")]


def test_what_waits_and_what_was_written_is_kept_by_a_digest(redis: Redis) -> None:
    tier = CustomerAttribute(name="tier", type="string", value="gold")
    changes = pending(redis)
    for customer in (ANN, BOB):
        changes.gather(customer, {"tier": tier}, changes.stamp(None), 60.0)
    changes.written(ANN, changes.changes(ANN).waiting)
    changes.hold(ANN, 60.0)
    assert changes.changes(ANN).written.keys() == {"tier"}
    assert changes.changes(BOB).waiting.keys() == {"tier"}
    assert {name.split(":")[1] for name in keys(redis)} == {"pending", "written", "window"}
    assert [name for name in keys(redis) if "@" in name] == []


def test_so_is_how_often_each_was_written(redis: Redis) -> None:
    store = Store(redis=redis)
    bucket = RecordBuckets(store=store, tenant="acme", system="cxone", burst=1, per_minute=1.0)
    for customer in (ANN, BOB):
        bucket.take(customer)
    assert len(keys(redis)) == 2
    assert [name for name in keys(redis) if "@" in name] == []
