"""Notification channels and what they listen to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
CHANNELS = "/api/v2/notifications/channels"
TOPICS = "/api/v2/notifications/availabletopics"
CONTACT = "v2.externalcontacts.contacts.{}"
QUEUE = "v2.routing.queues.{}.conversations.messages"
ATTRIBUTES = "v2.detail.events.conversation.{}.attributes"
AUDIT = "v2.audits.entitytype.rule.entityid.{}"
DAY = 86_400


@pytest.fixture
def post(platform: Ask) -> Callable[[], dict[str, Any]]:
    """Makes a channel."""

    def post() -> dict[str, Any]:
        made: dict[str, Any] = platform("POST", CHANNELS, json={}).json()
        return made

    return post


@pytest.fixture
def subscribe(platform: Ask, post: Callable[[], dict[str, Any]]) -> Ask:
    """`subscribe(topic, …)`: adds topics to a channel made for that, or as options say."""
    channel_id = post()["id"]

    def subscribe(*topics: str, method: str = "POST", **options: Any) -> requests.Response:
        body = [{"id": each} for each in topics]
        return platform(method, f"{CHANNELS}/{channel_id}/subscriptions", json=body, params=options)

    return subscribe


def topics(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["entities"]]


def test_a_channel_is_connected_to_on_the_port_of_the_sandbox(
    sandbox: SandboxHandle, post: Callable[[], dict[str, Any]], platform: Ask
) -> None:
    made = post()
    url = sandbox.platform_url.replace("http", "ws", 1)
    assert made["connectUri"] == f"{url}/channels/{made['id']}"
    assert made["expires"] == "2027-01-16T08:00:00.000Z"
    assert platform("HEAD", f"{CHANNELS}/{made['id']}").status_code == 200
    assert platform("GET", CHANNELS).json()["entities"] == [made]


def test_the_21st_channel_takes_the_place_of_the_one_used_longest_ago(
    post: Callable[[], dict[str, Any]], platform: Ask, clock: ManualClock
) -> None:
    made = []
    for _ in range(20):
        made.append(post()["id"])
        clock.advance(1)
    body = [{"id": QUEUE.format("q")}]
    platform("POST", f"{CHANNELS}/{made[0]}/subscriptions", json=body)
    made.append(post()["id"])
    left = [each["id"] for each in platform("GET", CHANNELS).json()["entities"]]
    assert left == [made[0], *made[2:]]
    assert platform("HEAD", f"{CHANNELS}/{made[1]}").status_code == 404


def test_every_client_has_channels_of_its_own(
    post: Callable[[], dict[str, Any]], ask_as: Callable[..., Ask], sandbox: SandboxHandle
) -> None:
    sandbox.put_client("other", system="platform", organization="default", secret="s")
    other, made = ask_as("other", "s"), post()["id"]
    assert other("GET", CHANNELS).json()["entities"] == []
    for method, path in (("HEAD", ""), ("GET", "/subscriptions"), ("DELETE", "/subscriptions")):
        assert other(method, f"{CHANNELS}/{made}{path}").status_code == 404
    for _ in range(20):
        other("POST", CHANNELS, json={})
    assert len(sandbox.channels()) == 21


def test_channels_of_other_tokens_are_listed_without_their_ids(
    post: Callable[[], dict[str, Any]], ask_as: Callable[..., Ask]
) -> None:
    made = post()
    again = ask_as("platform-client", "platform-secret")
    assert again("GET", CHANNELS).json()["entities"] == []
    whole = again("GET", f"{CHANNELS}?includechannels=oauthclient").json()["entities"]
    assert whole == [{"expires": made["expires"]}]
    assert again("GET", f"{CHANNELS}?includechannels=all").json()["code"] == (
        "invalid.query.param.value"
    )


def test_a_channel_dies_after_a_day_unless_it_is_subscribed_again(
    sandbox: SandboxHandle, ask_as: Callable[..., Ask], clock: ManualClock
) -> None:
    sandbox.put_client("platform-client", token_seconds=9 * DAY)
    ask = ask_as("platform-client", "platform-secret")
    url = f"{CHANNELS}/{ask('POST', CHANNELS, json={}).json()['id']}"
    body = [{"id": CONTACT.format("c")}]
    for method in ("POST", "PUT"):
        clock.advance(DAY - 1)
        assert ask(method, f"{url}/subscriptions", json=body).status_code == 200
    assert sandbox.channels()[0]["expires"] == clock.now + DAY
    clock.advance(DAY - 1)
    assert ask("HEAD", url).status_code == 200
    clock.advance(1)
    assert ask("HEAD", url).status_code == 404
    for method, code in (("POST", "not.found"), ("PUT", "entity.not.found")):
        assert ask(method, f"{url}/subscriptions", json=body).json()["code"] == code
    assert sandbox.channels() == []


def test_topics_are_added_replaced_and_removed(subscribe: Ask, sandbox: SandboxHandle) -> None:
    one, two, three = CONTACT.format("a"), QUEUE.format("b"), ATTRIBUTES.format("c")
    assert topics(subscribe(one, two)) == [one, two]
    assert topics(subscribe(three, two)) == [three, two]
    assert sandbox.channels()[0]["topics"] == [one, two, three]
    assert topics(subscribe(two, method="PUT")) == [two]
    assert topics(subscribe(method="GET")) == [two]
    assert subscribe(method="DELETE").status_code == 204
    assert topics(subscribe(method="GET")) == []


#: Topics that are none of anybody's, with what POST and PUT say of them.
UNFIT = [
    (CONTACT.format("*"), "notification.invalid.topic", "notification.invalid.topic"),
    (CONTACT.format("{id}"), "notification.invalid.topic", "notification.invalid.topic"),
    (CONTACT.format(""), "notification.invalid.topic", "notification.invalid.topic"),
    ("v2.externalcontacts.*", "notification.invalid.topic", "notification.invalid.topic"),
    ("v2.users.u.presence", "notification.invalid.topic", "notification.invalid.topic"),
    ("", "notification.invalid.topic", "notification.invalid.topic"),
    ("channel.metadata", "notification.invalid.topic", "notification.forbidden.topic"),
    ("v2.system.socket_closing", "notification.invalid.topic", "notification.forbidden.topic"),
    (AUDIT.format("r"), "notification.transport.not.allowed", "notification.invalid.topic"),
]


@pytest.mark.parametrize("ignore", ["false", "true"])
def test_a_topic_that_is_none_refuses_the_whole_batch(subscribe: Ask, ignore: str) -> None:
    good = QUEUE.format("q")
    for topic, *codes in UNFIT:
        for method, code in zip(("POST", "PUT"), codes, strict=True):
            answer = subscribe(good, topic, method=method, ignoreErrors=ignore)
            assert answer.json()["code"] == code, topic
            assert answer.status_code == (403 if "forbidden" in code else 400)
    assert topics(subscribe(method="GET")) == []


def test_a_topic_that_is_none_may_be_rejected_alone(subscribe: Ask, sandbox: SandboxHandle) -> None:
    sandbox.options(unknown_topics="reject")
    good, bad = QUEUE.format("q"), CONTACT.format("*")
    entities = subscribe(bad, good, ignoreErrors="true").json()["entities"]
    assert [(each["id"], each["state"]) for each in entities] == [
        (bad, "Rejected"),
        (good, "Permitted"),
    ]
    assert subscribe(bad, good).status_code == 400
    assert topics(subscribe(method="GET")) == [good]


def test_a_topic_needs_the_permissions_that_it_names(
    subscribe: Ask, sandbox: SandboxHandle
) -> None:
    held = ["externalContacts:contact:view", "conversation:communication:view"]
    sandbox.put_client("platform-client", permissions=held)
    good, bad = CONTACT.format("c"), ATTRIBUTES.format("c")
    refused = subscribe(good, bad)
    assert (refused.status_code, refused.json()["code"]) == (403, "notification.unauthorized.topic")
    assert topics(subscribe(method="GET")) == []
    permitted, rejected = subscribe(good, bad, ignoreErrors="true").json()["entities"]
    assert permitted == {"id": good, "state": "Permitted"}
    assert rejected["state"] == "Rejected"
    assert rejected["missingPermissions"] == ["analytics:conversationDetail:view"]
    assert "analytics:conversationDetail:view" in rejected["rejectionReason"]
    assert topics(subscribe(method="GET")) == [good]


def test_a_contact_of_a_division_of_others_is_not_listened_to(
    subscribe: Ask, sandbox: SandboxHandle
) -> None:
    by_division: dict[str, str] = {}
    for each in sandbox.ids("externalContacts"):
        division = sandbox.get("externalContacts", each)["division"]["id"]
        by_division.setdefault(division, each)
    (home, ours), (_, theirs) = by_division.items()
    sandbox.put_client("platform-client", divisions=[home])
    refused = subscribe(CONTACT.format(theirs))
    assert refused.json()["code"] == "notification.unauthorized.divisioned.topic"
    assert topics(subscribe(CONTACT.format(ours))) == [CONTACT.format(ours)]


def test_a_channel_has_at_most_a_thousand_topics(subscribe: Ask) -> None:
    known = [CONTACT.format(number) for number in range(1000)]
    assert len(topics(subscribe(*known))) == 1000
    assert topics(subscribe(*known[:2])) == known[:2]
    refused = subscribe(CONTACT.format("more"), ignoreErrors="true")
    assert refused.json()["code"] == "notification.subscription.too.many.subscriptions"
    assert topics(subscribe(method="GET")) == known


def test_topics_can_be_refused_by_a_fault(subscribe: Ask, sandbox: SandboxHandle) -> None:
    sandbox.fault(kind="refuse_topics", topics=CONTACT.format("*"))
    topics(subscribe(method="GET"))
    states = subscribe(CONTACT.format("c"), QUEUE.format("q"), ignoreErrors="true").json()
    assert [each["state"] for each in states["entities"]] == ["Rejected", "Permitted"]
    assert topics(subscribe(CONTACT.format("c"))) == [CONTACT.format("c")]


def test_available_topics_show_what_is_asked_for(platform: Ask) -> None:
    bare = platform("GET", TOPICS).json()["entities"]
    assert [each.keys() for each in bare] == [{"id"}] * 5
    query = "?expand=transports&expand=permissionDetails,topicParameters&includePreview=false"
    shown = {each["id"]: each for each in platform("GET", TOPICS + query).json()["entities"]}
    assert shown[CONTACT.format("{id}")] == {
        "id": CONTACT.format("{id}"),
        "transports": ["All"],
        "topicParameters": ["id"],
        "permissionDetails": [
            {
                "type": "requiresDivisionPermissions",
                "permissions": ["externalContacts:contact:view"],
                "enforced": True,
            }
        ],
    }
    assert platform("GET", f"{TOPICS}?expand=colour").status_code == 400
