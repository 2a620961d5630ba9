"""The topics that a tenant listens to, and the shards that they are heard in."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.apis.notifications import MOST_TOPICS
from workers.bridge.judging.rules import RuleSet, default_rules
from workers.bridge.listening.topics import Topics, shards, topics_of
from workers.bridge.settings import BridgeSettings

CONTACT = "v2.externalcontacts.contacts.{}"
QUEUE = "v2.routing.queues.{}.conversations.messages"
ATTRIBUTES = "v2.detail.events.conversation.{}.attributes"
CUSTOMER_END = "v2.detail.events.conversation.{}.customer.end"


def listening(**named: Any) -> BridgeSettings:
    return BridgeSettings(secret="one that nobody guesses", **named)


def rules(*names: str) -> RuleSet:
    """Those of the shipped rules."""
    return RuleSet([rule for rule in default_rules() if rule.name in names])


def test_each_id_has_the_topics_of_its_kind() -> None:
    named = listening(queues=["q1", "q2"], contacts=["c"], conversations=["v"])
    wanted = (
        QUEUE.format("q1"),
        QUEUE.format("q2"),
        CONTACT.format("c"),
        ATTRIBUTES.format("v"),
        CUSTOMER_END.format("v"),
    )
    assert topics_of(named, default_rules()) == Topics(wanted=wanted)


def test_what_no_rule_is_for_is_not_listened_to() -> None:
    named = listening(
        queues=["q"], contacts=["c"], conversations=["v"], topics=["v2.users.u.presence"]
    )
    found = topics_of(named, rules("customer-left"))
    assert found.wanted == (CUSTOMER_END.format("v"),)
    idle = (QUEUE.format("q"), CONTACT.format("c"), "v2.users.u.presence")
    assert found.idle == idle


def test_a_rule_that_is_off_is_for_nothing() -> None:
    named = listening(contacts=["c"])
    assert topics_of(named, rules("guest-identified")).wanted == ()
    assert topics_of(named, rules("guest-identified", "contacts-merged")).wanted == (
        CONTACT.format("c"),
    )


def test_topics_in_full_are_listened_to_as_they_are_and_once() -> None:
    named = listening(contacts=["c"], topics=[CONTACT.format("c"), ATTRIBUTES.format("v")])
    found = topics_of(named, default_rules())
    assert found == Topics(wanted=(CONTACT.format("c"), ATTRIBUTES.format("v")))


def test_the_services_own_messages_are_never_subscribed() -> None:
    named = listening(topics=["v2.system.socket_closing", CONTACT.format("c")])
    found = topics_of(named, default_rules())
    assert found.wanted == (CONTACT.format("c"),)
    assert found.idle == ("v2.system.socket_closing",)


def test_a_channel_takes_a_thousand_topics_and_the_next_one_goes_to_another() -> None:
    topics = [CONTACT.format(number) for number in range(MOST_TOPICS)]
    assert list(map(len, shards(topics))) == [1_000]
    assert list(map(len, shards([*topics, "more"]))) == [1_000, 1]
    assert shards([]) == []


names = st.lists(st.text("abc", min_size=1, max_size=6), unique=True)


@settings(max_examples=50, deadline=None)
@given(names, st.text("abc", min_size=1, max_size=6), st.integers(1, 5))
def test_one_topic_more_moves_at_most_one_other_of_each_channel(
    topics: list[str], one: str, most: int
) -> None:
    before, after = shards(topics, most), shards([*topics, one], most)
    assert sorted(t for each in before for t in each) == sorted(topics)
    assert all(0 < len(each) <= most for each in before)
    assert len(before) == -(-len(topics) // most)
    for old, new in zip(before, after, strict=False):
        assert len(set(old) - set(new)) <= 1


def test_topics_are_divided_alike_in_whatever_order_they_are_named() -> None:
    topics = [CONTACT.format(number) for number in range(7)]
    assert shards(topics, 3) == shards([*reversed(topics), topics[0]], 3)
