"""What a bridge counts and measures."""

from __future__ import annotations

import random

import pytest
from prometheus_client.parser import text_string_to_metric_families

from workers.bridge.watching.last_minute import LastMinute
from workers.bridge.watching.metrics import BridgeMetrics
from workers.bridge.watching.templates import Templates
from workers.sandbox.testing import ManualClock

CONVERSATION = "1f1a7a34-8c6b-4a7e-9e8e-0d6f3f2b8f11"


def samples(metrics: BridgeMetrics) -> dict[tuple[str, ...], float]:
    """Return the bridge's own samples by name and sorted labels' values."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name.removeprefix("genesys_bridge_"), *map(str, sample.labels.values())): (
            sample.value
        )
        for family in families
        for sample in family.samples
        if sample.name.startswith("genesys_bridge_")
    }


def test_everything_counted_is_scraped() -> None:
    metrics = BridgeMetrics()
    metrics.received("acme", "websocket", 2)
    metrics.unreadable("acme", "eventbridge", "not JSON")
    metrics.enqueued("acme", "customer-left")
    metrics.duplicate("acme", "customer-left")
    metrics.dropped("acme", "customer-left", "too old")
    metrics.gaps("acme", "silence")
    metrics.open_gaps("acme", 1)
    metrics.backfilled("acme", 7)
    metrics.reconnects("acme")
    metrics.connected("acme", 3)
    metrics.rejected_topics("acme", 4)
    metrics.leader("acme", True)
    metrics.answered(503)

    found = samples(metrics)
    assert found["events_total", "websocket", "acme"] == 2
    assert found["unreadable_total", "not JSON", "eventbridge", "acme"] == 1
    assert found["enqueued_total", "customer-left", "acme"] == 1
    assert found["duplicates_total", "customer-left", "acme"] == 1
    assert found["dropped_total", "too old", "customer-left", "acme"] == 1
    assert found["gaps_total", "silence", "acme"] == 1
    assert found["open_gaps", "acme"] == 1
    assert found["backfilled_total", "acme"] == 7
    assert found["reconnects_total", "acme"] == 1
    assert found["connected_sockets", "acme"] == 3
    assert found["rejected_topics", "acme"] == 4
    assert found["leader", "acme"] == 1
    assert found["answers_total", "503"] == 1


def test_two_bridges_in_one_process_count_apart() -> None:
    one, other = BridgeMetrics(), BridgeMetrics()
    one.received("acme", "websocket")
    assert ("events_total", "websocket", "acme") not in samples(other)


def test_process_and_interpreter_are_measured_too() -> None:
    text = BridgeMetrics().text().decode()
    assert "python_info" in text
    assert "python_gc_collections_total" in text


@pytest.mark.parametrize(
    ("topic", "template"),
    [
        (
            f"v2.detail.events.conversation.{CONVERSATION}.attributes",
            "v2.detail.events.conversation.{id}.attributes",
        ),
        (
            "v2.detail.events.conversation.{id}.acd.end",
            "v2.detail.events.conversation.{id}.acd.end",
        ),
        (
            f"v2.routing.queues.{CONVERSATION}.conversations.messages",
            "v2.routing.queues.{id}.conversations.messages",
        ),
        ("v2.own.thing-1.changed", "v2.own.{id}.changed"),
        ("v2.own.thing-1.changed.twice", "other"),
        ("v2.users.jane@example.com.mail", "other"),
        ("", "other"),
    ],
)
def test_a_topic_is_counted_by_its_template(topic: str, template: str) -> None:
    assert Templates(["v2.own.{thing}.changed"]).of(topic) == template


def test_no_topic_makes_a_series_of_its_own() -> None:
    metrics = BridgeMetrics()
    for number in range(100):
        metrics.unmatched("acme", f"v2.users.{number}.presence")
        metrics.unmatched("acme", f"v2.secret-{number}.presence")
    unmatched = {key: value for key, value in samples(metrics).items() if "unmatched" in key[0]}
    counts = [value for key, value in unmatched.items() if key[0] == "unmatched_total"]
    assert counts == [100, 100]


def test_lag_is_measured_by_source_and_never_below_zero() -> None:
    metrics = BridgeMetrics()
    metrics.lag("acme", "eventbridge", 2.0)
    metrics.lag("acme", "eventbridge", -3.0)
    found = samples(metrics)
    assert found["lag_seconds_sum", "eventbridge"] == 2.0
    assert found["lag_seconds_bucket", "0.05", "eventbridge"] == 1
    assert found["lag_seconds_bucket", "2.5", "eventbridge"] == 2


def test_the_time_without_a_broker_is_counted_while_it_goes_on() -> None:
    clock = ManualClock()
    metrics = BridgeMetrics(clock=clock)
    metrics.broker_there()
    metrics.broker_away()
    clock.advance(5)
    metrics.broker_away()
    clock.advance(2)
    found = samples(metrics)
    assert (found["broker_away_seconds_total",], found["broker_away",]) == (7, 1)

    clock.advance(1)
    metrics.broker_there()
    clock.advance(60)
    found = samples(metrics)
    assert (found["broker_away_seconds_total",], found["broker_away",]) == (8, 0)


def test_a_snapshot_tells_what_happened_to_a_tenant() -> None:
    clock = ManualClock()
    metrics = BridgeMetrics(clock=clock)
    assert metrics.snapshot("acme") == {"counts": {}, "rate": 0, "lag": None, "last_event": None}

    metrics.received("acme", "websocket")
    metrics.enqueued("acme", "customer-left")
    metrics.lag("acme", "websocket", 0.2)
    metrics.received("other", "websocket")
    last = clock.now
    clock.advance(10)

    shown = metrics.snapshot("acme")
    assert shown["counts"] == {"received": 1, "enqueued": 1}
    assert shown["rate"] == pytest.approx(1 / 10)
    assert shown["lag"] == pytest.approx((0.2, 0.2), rel=0.05)
    assert shown["last_event"] == last


def test_what_a_backfill_or_a_file_brings_is_not_late() -> None:
    metrics = BridgeMetrics()
    metrics.lag("acme", "backfill", 9_000)
    metrics.lag("acme", "file", 9_000)
    assert metrics.snapshot("acme")["lag"] is None


def test_the_last_minute_forgets_what_is_older() -> None:
    clock = ManualClock()
    minute = LastMinute(clock)
    for _ in range(120):
        clock.advance(1)
        minute.add(0.5)
        minute.add(0.5)
    clock.advance(1)
    assert minute.rate() == 2

    clock.advance(30)
    assert minute.rate() == 1
    clock.advance(31)
    assert (minute.rate(), minute.lags(0.5)) == (0, None)


def test_lags_of_the_last_minute_are_right_within_a_few_percent() -> None:
    chance, clock = random.Random(7), ManualClock()
    minute = LastMinute(clock)
    lags = sorted(chance.lognormvariate(-1, 1) for _ in range(10_000))
    for lag in lags:
        minute.add(lag)
    found = minute.lags(0.5, 0.99, 1.0)
    assert found == pytest.approx((lags[5_000], lags[9_900], lags[-1]), rel=0.05)


def test_any_number_of_lags_is_kept_in_little_memory() -> None:
    minute = LastMinute(ManualClock())
    for number in range(100_000):
        minute.add(number / 10)
    (_, kept), *more = minute._seconds
    assert not more
    assert len(kept) < 500
