"""A bad topic never silences the others, and each one that nobody hears is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from tasks.apis.notifications import AvailableTopic, TopicState
from tasks.errors import BadRequest, NotFound
from tests.unit.bridge.channel_service import ChannelService
from workers.bridge.listening.subscriptions import (
    Rejections,
    Subscriptions,
    divide,
    renew,
    subscribe,
)
from workers.bridge.watching.metrics import BridgeMetrics

CONTACT = "v2.externalcontacts.contacts.{}"
CONTACTS = [CONTACT.format(number) for number in range(1_000)]
STRANGE = "v2.users.u.nonsense"
AVAILABLE = [AvailableTopic(template=CONTACT.format("{id}"), transports=frozenset({"All"}))]
CHANNEL = "channel-1"


def service(**options: object) -> ChannelService:
    made = ChannelService(**options)  # type: ignore[arg-type]  # the service's own
    made.create_channel()
    return made


def subscribed(service: ChannelService, topics: Sequence[str]) -> Subscriptions:
    return asyncio.run(subscribe(service.ask, CHANNEL, topics))


def topics(states: Sequence[TopicState]) -> list[str]:
    return [each.topic for each in states]


def test_topics_that_are_permitted_take_one_call() -> None:
    asked = service()
    done = subscribed(asked, CONTACTS)
    assert list(done.permitted) == asked.channels[CHANNEL] == CONTACTS
    assert done.rejected == ()
    assert asked.batches == [1_000]


def test_a_topic_that_is_not_permitted_is_rejected_alone() -> None:
    asked = service(forbidden=frozenset({CONTACTS[7]}))
    done = subscribed(asked, CONTACTS)
    assert topics(done.rejected) == [CONTACTS[7]]
    assert done.rejected[0].missing == ("conversation:communication:view",)
    assert asked.channels[CHANNEL] == [each for each in CONTACTS if each != CONTACTS[7]]


def test_a_topic_of_no_kind_that_there_is_is_found_at_once() -> None:
    asked = service(unknown=frozenset({STRANGE}), available=AVAILABLE)
    done = subscribed(asked, [*CONTACTS[:500], STRANGE, *CONTACTS[500:999]])
    assert done.rejected == (
        TopicState(topic=STRANGE, permitted=False, reason="notification.invalid.topic"),
    )
    assert asked.channels[CHANNEL] == CONTACTS[:999]
    assert len(asked.batches) == 4


@pytest.mark.parametrize("available", [AVAILABLE, (), None])
@pytest.mark.parametrize("bad", [[0], [999], [500, 501], [3, 77, 500, 998]])
def test_bad_topics_among_good_ones_are_found_and_the_good_ones_are_heard(
    available: Sequence[AvailableTopic] | None, bad: list[int]
) -> None:
    unknown = frozenset(CONTACTS[number] for number in bad)
    forbidden = frozenset({CONTACTS[250]})
    asked = service(unknown=unknown, forbidden=forbidden, available=available)
    done = subscribed(asked, CONTACTS)
    assert set(topics(done.refused)) == unknown
    assert set(topics(done.rejected)) == unknown | forbidden
    heard = [each for each in CONTACTS if each not in unknown | forbidden]
    assert asked.channels[CHANNEL] == heard == list(done.permitted)
    assert len(asked.batches) <= 3 + 21 * len(bad)


def test_a_kind_that_is_not_told_may_be_subscribed_all_the_same() -> None:
    preview = "v2.users.u.preview"
    asked = service(unknown=frozenset({STRANGE}), available=AVAILABLE)
    done = subscribed(asked, [CONTACTS[0], preview, STRANGE])
    assert done.permitted == (CONTACTS[0], preview)


def test_where_no_topic_is_any_good_nothing_is_permitted() -> None:
    asked = service(unknown=frozenset(CONTACTS[:3]))
    done = subscribed(asked, CONTACTS[:3])
    assert done.permitted == ()
    assert set(topics(done.rejected)) == set(CONTACTS[:3])
    assert 0 not in asked.batches


def test_a_refusal_that_is_about_no_topic_is_raised() -> None:
    asked = service()
    with pytest.raises(BadRequest, match=r"too\.many"):
        subscribed(asked, [*CONTACTS, "v2.one.more"])
    assert asked.batches == [1_001]
    with pytest.raises(NotFound):
        asyncio.run(subscribe(asked.ask, "nobody", CONTACTS))


def test_renewing_asks_for_all_but_what_was_refused() -> None:
    forbidden, unknown = CONTACTS[1], CONTACTS[2]
    asked = service(unknown=frozenset({unknown}), forbidden=frozenset({forbidden}))
    first = subscribed(asked, CONTACTS[:4])
    asked.forbidden = frozenset()
    asked.batches.clear()
    again = asyncio.run(renew(asked.ask, CHANNEL, CONTACTS[:4], first.refused))
    assert asked.batches == [3]
    assert again.permitted == (CONTACTS[0], forbidden, CONTACTS[3])
    assert topics(again.rejected) == [unknown]


def test_kinds_are_told_by_their_templates_and_transports() -> None:
    kinds = [
        AvailableTopic(template="v2.a.{id}.b", transports=frozenset({"Websocket"})),
        AvailableTopic(template="v2.c.{id}", transports=frozenset({"EventBridge"})),
        AvailableTopic(template="v2.d.{one}.e.{two}"),
    ]
    known = ["v2.a.1-2.b", "v2.d.x.e.y"]
    strange = ["v2.a.b", "v2.c.1", "v2.a.*.b", "v2.d.{id}.e.y", "v2xa.1.b", "v2.a..b"]
    assert divide([*known, *strange], kinds) == (known, strange)


@pytest.fixture
def metrics() -> BridgeMetrics:
    return BridgeMetrics()


def rejecting(*names: str, permitted: Sequence[str] = ()) -> Subscriptions:
    states = [
        TopicState(
            topic=name, permitted=False, reason="No. Call +47 22 33 44 55", missing=("a:b:c",)
        )
        for name in names
    ]
    return Subscriptions(
        states=(*states, *(TopicState(topic=name, permitted=True) for name in permitted))
    )


def test_each_rejected_topic_is_told_once_with_what_is_missing(metrics: BridgeMetrics) -> None:
    rejections = Rejections(tenant="acme", metrics=metrics)
    with capture_logs() as logs:
        rejections.note("0", rejecting("v2.a", "v2.b"))
        rejections.note("0", rejecting("v2.a", "v2.b"))
        rejections.note("1", rejecting("v2.c"))
    assert [each["topic"] for each in logs] == ["v2.a", "v2.b", "v2.c"]
    assert logs[0] == {
        "event": "bridge.topic_rejected",
        "log_level": "warning",
        "tenant": "acme",
        "topic": "v2.a",
        "reason": "No. Call +***",
        "missing": ["a:b:c"],
    }
    assert rejections.count == 3
    assert b'genesys_bridge_rejected_topics{tenant="acme"} 3.0' in metrics.text()


def test_a_topic_that_is_permitted_after_all_is_told_too(metrics: BridgeMetrics) -> None:
    rejections = Rejections(tenant="acme", metrics=metrics)
    rejections.note("0", rejecting("v2.a", "v2.b"))
    with capture_logs() as logs:
        rejections.note("0", rejecting("v2.b", permitted=["v2.a", "v2.c"]))
    assert [(each["event"], each["topic"]) for each in logs] == [("bridge.topic_permitted", "v2.a")]
    assert rejections.count == 1
    rejections.clear()
    assert b'genesys_bridge_rejected_topics{tenant="acme"} 0.0' in metrics.text()
