"""The notification seam against the sandbox over HTTP, held against the vendor's document."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tasks import errors
from tasks.apis.notification_service import NotificationService
from tasks.apis.notifications import (
    MOST_CHANNELS,
    MOST_TOPICS,
    Notifications,
    TopicState,
    is_about_a_topic,
)
from tests.support.platform import checked, connect
from tests.support.waiting import wait_until
from workers.sandbox.testing import SandboxHandle

CONTACT = "v2.externalcontacts.contacts.{}"
QUEUE = "v2.routing.queues.{}.conversations.messages"
AUDIT = "v2.audits.entitytype.rule.entityid.r"


@pytest.fixture
def service(sandbox: SandboxHandle) -> Iterator[Notifications]:
    with checked(connect(sandbox)) as http:
        yield NotificationService(http=http)


@pytest.fixture
def channel(service: Notifications) -> str:
    return service.create_channel().id


def test_a_channel_is_made_and_lives(service: Notifications, sandbox: SandboxHandle) -> None:
    made = service.create_channel()
    (held,) = sandbox.channels()
    assert made.id == held["id"]
    assert made.expires.timestamp() == pytest.approx(held["expires"], abs=0.002)
    assert made.connect_uri.startswith("ws://127.0.0.1:")
    assert made.connect_uri not in repr(made)
    assert service.is_alive(made.id)


def test_a_channel_that_has_expired_is_not_alive(
    service: Notifications, sandbox: SandboxHandle
) -> None:
    sandbox.options(channel_seconds=0.05)
    made = service.create_channel()
    wait_until(lambda: not service.is_alive(made.id), 5, "it has expired")


def test_channels_of_other_tokens_count_too(service: Notifications, sandbox: SandboxHandle) -> None:
    other = NotificationService(http=connect(sandbox))
    for count in range(MOST_CHANNELS):
        assert service.channels_in_use() == count
        (service, other)[count % 2].create_channel()
    assert service.channels_in_use() == MOST_CHANNELS


def test_topics_are_replaced_or_added(
    service: Notifications, channel: str, sandbox: SandboxHandle
) -> None:
    one, two, three = CONTACT.format("a"), QUEUE.format("b"), CONTACT.format("c")
    assert service.subscribe(channel, [one, two, one]) == [
        TopicState(topic=one, permitted=True),
        TopicState(topic=two, permitted=True),
    ]
    service.subscribe(channel, [three], add=True)
    assert sandbox.channels()[0]["topics"] == [one, two, three]
    service.subscribe(channel, [three])
    assert sandbox.channels()[0]["topics"] == [three]


def test_a_topic_that_is_not_permitted_leaves_the_others_be(
    service: Notifications, channel: str, sandbox: SandboxHandle
) -> None:
    sandbox.put_client("platform-client", permissions=["externalContacts:contact:view"])
    good, bad = CONTACT.format("c"), QUEUE.format("q")
    permitted, rejected = service.subscribe(channel, [good, bad])
    assert permitted == TopicState(topic=good, permitted=True)
    assert (rejected.topic, rejected.permitted) == (bad, False)
    assert rejected.missing == ("conversation:communication:view",)
    assert "Not authorized" in rejected.reason
    assert sandbox.channels()[0]["topics"] == [good]


@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize("topic", [CONTACT.format("*"), AUDIT, "channel.metadata"])
def test_a_batch_that_is_refused_for_a_topic_says_so(
    service: Notifications, channel: str, sandbox: SandboxHandle, topic: str, add: bool
) -> None:
    service.subscribe(channel, [CONTACT.format("c")])
    with pytest.raises(errors.ApiError) as refused:
        service.subscribe(channel, [QUEUE.format("q"), topic], add=add)
    assert is_about_a_topic(refused.value)
    assert sandbox.channels()[0]["topics"] == [CONTACT.format("c")]


def test_too_many_topics_are_no_topics_fault(service: Notifications, channel: str) -> None:
    service.subscribe(channel, [CONTACT.format(each) for each in range(MOST_TOPICS)])
    with pytest.raises(errors.BadRequest) as refused:
        service.subscribe(channel, [CONTACT.format("more")], add=True)
    assert not is_about_a_topic(refused.value)


@pytest.mark.parametrize("add", [False, True])
def test_topics_of_a_channel_that_is_gone_are_not_found(service: Notifications, add: bool) -> None:
    with pytest.raises(errors.NotFound):
        service.subscribe("nobody", [CONTACT.format("c")], add=add)


Answer = Callable[[object], None]


@pytest.fixture
def answer(sandbox: SandboxHandle) -> Answer:
    """Lets the next subscription be answered with these entities."""

    def answer(entities: object) -> None:
        sandbox.fault(kind="status", status=200, body={"entities": entities}, method="PUT")

    return answer


@pytest.mark.parametrize(
    ("entities", "reason"),
    [
        ([], "is missing from the answer"),
        ([{"id": QUEUE.format("q")}], "is not said to be permitted"),
        ([{"id": QUEUE.format("q"), "state": "Rejected"}], "is not said to be permitted"),
        ([{"id": QUEUE.format("q"), "state": "Rejected", "rejectionReason": "No"}], "No"),
        (
            [
                {"id": QUEUE.format("q"), "state": "Rejected", "rejectionReason": "No"},
                {"id": QUEUE.format("q"), "state": "Permitted"},
            ],
            "No",
        ),
    ],
)
def test_what_is_not_said_to_be_permitted_counts_as_rejected(
    service: Notifications, channel: str, answer: Answer, entities: object, reason: str
) -> None:
    answer(entities)
    (state,) = service.subscribe(channel, [QUEUE.format("q")])
    assert (state.permitted, state.reason) == (False, reason)


def test_permissions_that_are_none_are_not_passed_on(
    service: Notifications, channel: str, answer: Answer
) -> None:
    missing = ["conversation:communication:view", "call +47 22 33 44 55"]
    entity = {"id": QUEUE.format("q"), "state": "Rejected", "missingPermissions": missing}
    answer([entity])
    (state,) = service.subscribe(channel, [QUEUE.format("q")])
    assert state.missing == ("conversation:communication:view",)


def test_available_topics_tell_their_transports_and_permissions(service: Notifications) -> None:
    found = {each.template: each for each in service.available_topics()}
    contact = found[CONTACT.format("{id}")]
    assert contact.by_channel
    assert contact.permissions == ("externalContacts:contact:view",)
    assert not found["v2.audits.entitytype.{id}.entityid.{id}"].by_channel


def test_a_channel_id_that_is_none_is_no_answer(
    service: Notifications, sandbox: SandboxHandle
) -> None:
    body = {"id": "../x", "connectUri": "wss://h/x", "expires": "2027-01-16T08:00:00.000Z"}
    route = "/api/v2/notifications/channels"
    sandbox.fault(kind="status", status=200, body=body, method="POST", route=route)
    with pytest.raises(errors.OutcomeUnknown, match="channels"):
        service.create_channel()
