"""What events ask for: by the shipped rules, and by rules of others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.apis.moments import iso
from tasks.messages import PUBLIC, MergeAndSync, RedactInteraction, SyncProfile
from workers.bridge.judging import occurrences
from workers.bridge.judging.matching import Dropped, Judgement, Wanted, judge
from workers.bridge.judging.rules import DEFAULT_RULES, RuleSet, default_rules, load
from workers.bridge.reading.events import Event, Source, parse
from workers.sandbox.notifications import conversation_events, endings
from workers.sandbox.notifications.contact_events import merge_set_changed

AT = datetime(2026, 3, 19, 22, 4, 48, 123_000, tzinfo=UTC)
NOW = AT + timedelta(minutes=1)
AT_MS = 1_773_957_888_123
ATTRIBUTES = "v2.detail.events.conversation.k-1.attributes"
CUSTOMER_END = "v2.detail.events.conversation.k-1.customer.end"
QUEUE = "v2.routing.queues.q-1.conversations.messages"
CONTACT = "v2.externalcontacts.contacts.c-1"

ATTRIBUTES_BODY = {
    "eventTime": AT_MS,
    "conversationId": "k-1",
    "participantId": "p-1",
    "attributes": {"tier": "gold"},
    "conversationExternalContactIds": ["c-1", "c-2"],
}
END_BODY = {"eventTime": AT_MS, "conversationId": "k-1", "mediaType": "MESSAGE"}
CUSTOMER = {"purpose": "customer", "state": "disconnected", "endTime": iso(AT)}
AGENT = {"purpose": "agent", "state": "disconnected", "endTime": iso(AT + timedelta(minutes=5))}
QUEUE_BODY = {"id": "k-1", "participants": [AGENT, CUSTOMER]}

DEFAULTS = default_rules()


def event(topic: str, body: Mapping[str, Any], source: Source = "websocket") -> Event:
    return Event(topic=topic, body=body, at=AT, source=source, correlation_id="r-1")


def judged(
    topic: str,
    body: Mapping[str, Any],
    source: Source = "websocket",
    *,
    rules: RuleSet = DEFAULTS,
    tenant: str = "acme",
) -> Judgement:
    return judge(event(topic, body, source), rules, tenant, NOW)


def only(judgement: Judgement) -> Wanted:
    assert not judgement.dropped
    (wanted,) = judgement.wanted
    return wanted


def reasons(judgement: Judgement) -> list[str]:
    assert not judgement.wanted
    return [each.reason for each in judgement.dropped]


def without(body: Mapping[str, Any], *names: str, **changes: Any) -> dict[str, Any]:
    return {name: body[name] for name in body if name not in names} | changes


def test_changed_attributes_of_a_known_contact_are_synced() -> None:
    wanted = only(judged(ATTRIBUTES, ATTRIBUTES_BODY))
    assert wanted.rule == "attributes-changed"
    assert wanted.message == SyncProfile(
        contact_id="c-1",
        occurred_at=AT,
        tenant="acme",
        operation_id=wanted.occurrence.operation_id,
        correlation_id="r-1",
    )
    assert (wanted.at, wanted.occurrence.at, wanted.source) == (AT, AT_MS, "websocket")
    assert wanted.occurrence.value == occurrences.of_values({"tier": "gold"})


@pytest.mark.parametrize("contacts", [None, [], {}, "c-1", [None]])
def test_attributes_without_a_contact_ask_for_nothing(contacts: Any) -> None:
    body = without(ATTRIBUTES_BODY, conversationExternalContactIds=contacts)
    found = judged(ATTRIBUTES, body)
    assert found == Judgement()
    assert not found.matched


def test_the_states_of_two_participants_are_not_mixed() -> None:
    one = only(judged(ATTRIBUTES, ATTRIBUTES_BODY)).occurrence
    other = only(judged(ATTRIBUTES, without(ATTRIBUTES_BODY, participantId="p-2"))).occurrence
    assert one.subject != other.subject
    assert one.value == other.value


def test_the_same_state_told_later_is_the_same_occurrence() -> None:
    later = without(ATTRIBUTES_BODY, eventTime=AT_MS + 1, attributes={"tier": "gold"})
    one, other = (only(judged(ATTRIBUTES, body)) for body in (ATTRIBUTES_BODY, later))
    assert one.message.operation_id == other.message.operation_id
    changed = only(judged(ATTRIBUTES, without(ATTRIBUTES_BODY, attributes={"tier": "silver"})))
    assert changed.message.operation_id != one.message.operation_id


def test_a_customer_who_has_left_a_chat_has_it_redacted() -> None:
    wanted = only(judged(CUSTOMER_END, END_BODY))
    assert wanted.rule == "customer-left"
    assert wanted.message == RedactInteraction(
        interaction_id="k-1",
        tenant="acme",
        operation_id=wanted.occurrence.operation_id,
        correlation_id="r-1",
    )
    assert wanted.occurrence.value == f"at:{AT_MS}"


@pytest.mark.parametrize("medium", ["VOICE", "EMAIL", None, "message"])
def test_the_end_of_another_medium_asks_for_nothing(medium: Any) -> None:
    assert judged(CUSTOMER_END, without(END_BODY, mediaType=medium)) == Judgement()


def test_both_events_of_one_end_want_one_message() -> None:
    left, seen = (only(judged(*told)) for told in ((CUSTOMER_END, END_BODY), (QUEUE, QUEUE_BODY)))
    assert seen.rule == "customer-disconnected"
    assert seen.occurrence == left.occurrence
    assert seen.message == left.message


@pytest.mark.parametrize(
    "participants",
    [
        [CUSTOMER],
        [without(CUSTOMER, purpose="external")],
        [without(CUSTOMER, "state")],
        [CUSTOMER, without(CUSTOMER, endTime=iso(AT - timedelta(hours=1)))],
        [CUSTOMER, {"purpose": "customer", "state": "connected"}],
        [{"purpose": "customer"}, CUSTOMER, 5, None, "text"],
    ],
)
def test_the_last_customer_who_left_is_the_one_that_counts(participants: list[Any]) -> None:
    wanted = only(judged(QUEUE, {"id": "k-1", "participants": participants}))
    assert wanted.occurrence.value == f"at:{AT_MS}"


@pytest.mark.parametrize(
    "participants",
    [
        None,
        [],
        {},
        [AGENT],
        [AGENT, without(CUSTOMER, "endTime", state="connected")],
        [without(CUSTOMER, purpose="acd"), {"purpose": "customer"}],
    ],
)
def test_a_conversation_whose_customer_is_there_asks_for_nothing(participants: Any) -> None:
    assert judged(QUEUE, {"id": "k-1", "participants": participants}) == Judgement()


def test_a_disconnected_customer_without_an_end_time_is_an_end_whose_moment_nobody_knows() -> None:
    body = {"id": "k-1", "participants": [without(CUSTOMER, "endTime")]}
    assert only(judged(QUEUE, body)).occurrence.value == ""
    assert only(judged(CUSTOMER_END, without(END_BODY, "eventTime"))).occurrence.value == ""


@pytest.mark.parametrize(
    "body",
    [
        {"id": "c-1", "mergedTo": "c-9", "canonicalContactId": "c-9", "mergeSet": ["c-1", "c-9"]},
        {"id": "c-1", "canonicalContactId": "c-9", "mergeSet": ["c-9", "c-1"]},
        {"id": "c-1", "mergedTo": "c-9", "canonicalContactId": "c-1", "mergeSet": ["c-1", "c-9"]},
        {"id": "c-1", "mergedTo": "c-5", "canonicalContactId": "c-9", "mergeSet": ["c-1", "c-9"]},
        {"id": "c-1", "mergedTo": {"id": "c-9"}, "mergeSet": [{"id": "c-9"}, {"id": "c-1"}]},
        {
            "id": "c-1",
            "canonicalContact": {"id": "c-9"},
            "mergeSet": [{"id": "c-1"}, {"id": "c-9"}],
        },
        {"id": "c-1", "mergedTo": "c-9"},
        {"id": "c-1", "mergedTo": {"id": "c-9"}},
        {"id": "c-1", "canonicalContactId": "c-9"},
    ],
)
def test_a_merged_contact_has_its_survivor_synced(body: dict[str, Any]) -> None:
    wanted = only(judged(CONTACT, body))
    assert wanted.rule == "contacts-merged"
    assert isinstance(wanted.message, SyncProfile)
    assert wanted.message.contact_id == "c-9"
    assert wanted.occurrence.subject == occurrences.subject("sync_profile", "acme", "c-9")
    assert wanted.occurrence.value == occurrences.of_ids(["c-1", "c-9"])


@pytest.mark.parametrize(
    "body",
    [
        {"id": "c-1"},
        {"id": "c-1", "canonicalContactId": "c-1", "mergeSet": ["c-1", "c-2"]},
        {"id": "c-1", "canonicalContact": {"id": "c-1"}, "mergedTo": None},
        {"id": "c-1", "canonicalContactId": "c-1", "canonicalContact": {"id": "c-1"}},
        {"id": "c-1", "mergedTo": {}, "canonicalContact": {}},
    ],
)
def test_a_contact_that_is_its_own_asks_for_nothing(body: dict[str, Any]) -> None:
    assert judged(CONTACT, body) == Judgement()


def test_a_further_merge_into_one_survivor_is_another_occurrence() -> None:
    first = {"id": "c-1", "canonicalContactId": "c-9", "mergeSet": ["c-1", "c-9"]}
    second = {"id": "c-2", "canonicalContactId": "c-9", "mergeSet": ["c-1", "c-2", "c-9"]}
    one, other = (only(judged(CONTACT, body)).occurrence for body in (first, second))
    assert one.subject == other.subject
    assert one.value != other.value


def chat() -> dict[str, Any]:
    began = iso(AT - timedelta(hours=1))
    medium = {"id": "m-1", "state": "connected", "direction": "inbound", "provider": "p"}
    return {
        "id": "k-1",
        "participants": [
            {
                "id": f"p-{purpose}",
                "name": "Ann Example",
                "purpose": purpose,
                "startTime": began,
                "connectedTime": began,
                "attributes": {"tier": "gold"} if purpose == "customer" else {},
                "messages": [{**medium, "type": "webmessaging", "messages": []}],
            }
            for purpose in ("customer", "acd", "agent")
        ],
    }


def as_sent(told: Any) -> Event:
    """The sandbox's event as it arrives."""
    detail = {"topicName": told.topic, "eventBody": told.body, "timestamp": iso(AT)}
    return parse(json.dumps(detail), "websocket")


def test_all_events_of_a_chat_that_ends_in_the_sandbox_want_one_redaction() -> None:
    told = [as_sent(each) for each in endings.end("org", chat(), AT.timestamp())]
    found = [judge(each, DEFAULTS, "acme", NOW) for each in told]
    wanted = [each for judgement in found for each in judgement.wanted]
    assert {each.topic.rpartition(".")[2] for each in told} == {"end", "messages"}
    assert {each.rule for each in wanted} == {"customer-left", "customer-disconnected"}
    assert {each.occurrence.value for each in wanted} == {f"at:{AT_MS}"}
    assert len({each.message.operation_id for each in wanted}) == 1


def test_attributes_in_the_sandbox_are_synced_for_the_contact_that_they_name() -> None:
    conversation = chat()
    customer = conversation["participants"][0] | {"externalContactId": "c-1"}
    conversation["participants"][0] = customer
    told = conversation_events.attributes_set(conversation, customer, AT.timestamp())
    message = only(judge(as_sent(told), DEFAULTS, "acme", NOW)).message
    assert isinstance(message, SyncProfile)
    assert (message.contact_id, message.occurred_at) == ("c-1", AT)


def test_all_events_of_a_merge_in_the_sandbox_want_one_sync() -> None:
    survivor = {"id": "c-9", "modifyDate": iso(AT), "mergeSet": [{"id": "c-1"}, {"id": "c-9"}]}
    merged = {
        "id": "c-1",
        "modifyDate": iso(AT),
        "mergedTo": {"id": "c-9"},
        "canonicalContact": {"id": "c-9"},
        "mergeSet": [{"id": "c-9"}, {"id": "c-1"}],
    }
    told = merge_set_changed({"c-1": merged, "c-9": survivor}, survivor, AT.timestamp())
    found = [judge(as_sent(each), DEFAULTS, "acme", NOW) for each in told]
    assert [len(each.wanted) for each in found] == [1, 0]


@pytest.fixture
def guests(tmp_path: Path) -> RuleSet:
    """The shipped rules with the example switched on."""
    import workers.bridge.judging

    shipped = Path(workers.bridge.judging.__file__).with_name(DEFAULT_RULES).read_text("utf-8")
    assert shipped.count("\nenabled = false\n") == 1
    file = tmp_path / "rules.toml"
    file.write_text(shipped.replace("\nenabled = false\n", "\nenabled = true\n"), "utf-8")
    return load(file)


GUEST = {
    "id": "c-1",
    "type": "Ephemeral",
    "canonicalContactId": "c-1",
    "customFields": {"identified_contact_text": "c-7"},
}


def test_a_guest_is_joined_with_the_contact_that_it_names(guests: RuleSet) -> None:
    wanted = only(judged(CONTACT, GUEST, rules=guests))
    assert wanted.message == MergeAndSync(
        source_profile_ids=["c-1"],
        target_profile_id="c-7",
        tenant="acme",
        operation_id=wanted.occurrence.operation_id,
        correlation_id="r-1",
    )
    assert wanted.occurrence.value == occurrences.of_ids(["c-1", "c-7"])


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Identified"},
        {"customFields": {}},
        {"customFields": None},
        {"customFields": {"identified_contact_text": "c-1"}},
    ],
)
def test_another_contact_is_joined_with_none(guests: RuleSet, changes: dict[str, Any]) -> None:
    assert judged(CONTACT, GUEST | changes, rules=guests) == Judgement()


def test_a_guest_that_was_joined_is_not_joined_again(guests: RuleSet) -> None:
    merged = GUEST | {"mergedTo": "c-7", "canonicalContactId": "c-7", "mergeSet": ["c-1", "c-7"]}
    assert only(judged(CONTACT, merged, rules=guests)).rule == "contacts-merged"


def test_the_example_is_off_until_it_is_switched_on() -> None:
    assert judged(CONTACT, GUEST) == Judgement()


def rules_of(tmp_path: Path, **changes: str) -> RuleSet:
    """One rule for presences, with other lines."""
    lines = {
        "topic": "topic = 'v2.users.{user}.presence'",
        "when": "",
        "task": "task = 'sync_profile'",
        "subject": "subject = 'topic.user'",
        "occurrence": "occurrence = { values = 'presence' }",
        "backfill": "backfill = 'nothing'",
        "contact": "arguments.contact_id = 'topic.user'",
        **changes,
    }
    file = tmp_path / "rules.toml"
    file.write_text("\n".join(["[[rule]]", "name = 'r'", *lines.values()]), encoding="utf-8")
    return load(file)


PRESENCE = "v2.users.u-1.presence"


def test_the_ids_of_a_topic_are_at_hand(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, when="when = \"topic.user == 'u-1'\"")
    message = only(judged(PRESENCE, {"presence": "busy"}, rules=rules)).message
    assert message.arguments()["contact_id"] == "u-1"
    assert not judged("v2.users.u-2.presence", {}, rules=rules).matched


def test_a_bodys_own_topic_does_not_hide_them(tmp_path: Path) -> None:
    found = judged(PRESENCE, {"topic": {"user": "u-9"}}, rules=rules_of(tmp_path))
    assert only(found).message.arguments()["contact_id"] == "u-1"


@pytest.mark.parametrize(("told", "matched"), [(0, True), ("", False), ([], False)])
def test_a_condition_holds_as_jmespath_has_it(tmp_path: Path, told: Any, matched: bool) -> None:
    rules = rules_of(tmp_path, when="when = 'told'")
    assert judged(PRESENCE, {"told": told}, rules=rules).matched == matched


def test_an_id_that_a_template_leaves_open_is_missing(tmp_path: Path) -> None:
    found = judged("v2.users.{id}.presence", {}, rules=rules_of(tmp_path))
    assert reasons(found) == ["missing: subject"]


def test_only_attributes_that_are_named_and_there_go_into_a_message(tmp_path: Path) -> None:
    named = "arguments.attributes = 'attributes.{tier: tier, segment: other.deep, note: note}'"
    rules = rules_of(tmp_path, attributes=named)
    attributes = {"tier": "gold", "secret": "s-1", "note": None}
    message = only(judged(PRESENCE, {"attributes": attributes}, rules=rules)).message
    assert message.arguments()["attributes"] == {"tier": "gold"}
    without_any = only(judged(PRESENCE, {"attributes": {"secret": "s-1"}}, rules=rules)).message
    assert "attributes" not in without_any.arguments()


@pytest.mark.parametrize(
    ("told", "at"),
    [
        (AT_MS, "2026-03-19T22:04:48.123000Z"),
        ("2026-03-19T23:04:48.123+01:00", "2026-03-19T22:04:48.123000Z"),
        (None, None),
    ],
)
def test_moments_are_read_in_milliseconds_and_iso_8601(
    tmp_path: Path, told: Any, at: str | None
) -> None:
    rules = rules_of(tmp_path, at="arguments.occurred_at = 'changed'")
    message = only(judged(PRESENCE, {"changed": told}, rules=rules)).message
    assert message.arguments().get("occurred_at") == at


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"contact": "arguments.contact_id = 'absent'"}, "missing: contact_id"),
        ({"subject": "subject = 'absent'"}, "missing: subject"),
        ({"subject": "subject = '[topic.user, absent]'"}, "missing: subject"),
        ({"subject": "subject = 'empty'"}, "missing: subject"),
        ({"contact": "arguments.contact_id = 'unsafe'"}, "invalid: contact_id must be 1 to 128"),
        ({"contact": "arguments.contact_id = 'number'"}, "invalid: contact_id Input should be"),
        ({"more": "arguments.occurred_at = 'unsafe'"}, "invalid: occurred_at must be an ISO 8601"),
        (
            {"more": "arguments.attributes = '{private_name: number, b: number}'"},
            "invalid: attributes Input should be a valid string",
        ),
        ({"when": "when = 'length(number)'"}, "invalid: when cannot be told of this event"),
        ({"when": "when = \"number < 'a'\""}, "invalid: when cannot be told of this event"),
        (
            {"contact": "arguments.contact_id = 'sum(unsafe)'"},
            "invalid: contact_id cannot be told of this event",
        ),
        ({"occurrence": "occurrence = { at = 'unsafe' }"}, "invalid: occurrence must be a moment"),
        ({"occurrence": "occurrence = { at = 'number' }"}, ""),
        ({"occurrence": "occurrence = { ids = 'number' }"}, "invalid: occurrence must be a list"),
        ({"occurrence": "occurrence = { ids = 'sum(@)' }"}, "invalid: occurrence cannot be told"),
    ],
)
def test_what_cannot_become_a_message_is_dropped_with_the_field_and_never_a_value(
    tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    body = {"unsafe": "private/value", "number": 5, "empty": ""}
    found = judged(PRESENCE, body, rules=rules_of(tmp_path, **changes))
    if not reason:
        assert only(found).occurrence.value == "at:5"
        return
    (told,) = reasons(found)
    assert told.startswith(reason)
    assert "private" not in told
    assert found.matched


def test_a_reason_counts_nothing(tmp_path: Path) -> None:
    merge = {
        "task": "task = 'merge_profiles'",
        "contact": "arguments.source_profile_ids = 'ids'",
        "target": "arguments.target_profile_id = 'topic.user'",
    }
    rules = rules_of(tmp_path, **merge)
    many = [
        reasons(judged(PRESENCE, {"ids": [f"i-{n}" for n in range(count)]}, rules=rules))
        for count in (25, 31)
    ]
    assert many[0] == many[1]
    assert "25" not in many[0][0]


@pytest.mark.parametrize(
    ("age", "now", "wanted"),
    [
        ("", AT + timedelta(days=5), True),
        ("", AT + timedelta(days=5, milliseconds=1), False),
        ("max_age = '1h'", AT + timedelta(hours=1), True),
        ("max_age = '1h'", AT + timedelta(hours=1, seconds=1), False),
        ("max_age = '1h'", AT - timedelta(hours=1), True),
    ],
)
def test_an_event_that_is_too_old_is_dropped(
    tmp_path: Path, age: str, now: datetime, wanted: bool
) -> None:
    found = judge(event(PRESENCE, {}), rules_of(tmp_path, age=age), "acme", now)
    assert bool(found.wanted) == wanted
    assert found.dropped == (() if wanted else (Dropped(rule="r", reason="too old"),))


def test_an_old_event_that_no_rule_is_for_is_not_counted_as_dropped() -> None:
    old = judge(event(CUSTOMER_END, {}), DEFAULTS, "acme", NOW + timedelta(days=9))
    assert old == Judgement()


@pytest.mark.parametrize("kind", ["values", "ids", "at"])
@pytest.mark.parametrize("told", [None, "", [], {}, [None, None], {"a": None}])
def test_a_backfill_that_cannot_tell_what_occurred_says_so(
    tmp_path: Path, kind: str, told: Any
) -> None:
    rules = rules_of(
        tmp_path,
        topic="topic = 'v2.detail.events.conversation.{user}.attributes'",
        backfill="backfill = 'latest'",
        occurrence=f"occurrence = {{ {kind} = 'told' }}",
    )
    assert only(judged(ATTRIBUTES, {"told": told}, "backfill", rules=rules)).occurrence.value == ""


@pytest.mark.parametrize("told", [None, {}, [None]])
def test_a_live_event_has_a_state_even_where_that_is_empty(tmp_path: Path, told: Any) -> None:
    found = judged(PRESENCE, {"presence": told}, rules=rules_of(tmp_path))
    assert only(found).occurrence.value == occurrences.of_values(told)


def test_a_live_event_has_a_set_of_ids_even_where_that_is_empty(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, occurrence="occurrence = { ids = 'ids' }")
    values = [
        only(judged(PRESENCE, {"ids": told}, rules=rules)).occurrence.value
        for told in (None, [], [None])
    ]
    assert set(values) == {occurrences.of_ids([])}
    single = only(judged(PRESENCE, {"ids": "a"}, rules=rules)).occurrence.value
    assert single == occurrences.of_ids(["a"])


def test_a_backfill_leaves_rules_alone_of_which_it_recovers_nothing() -> None:
    body = {"id": "c-1", "canonicalContactId": "c-9"}
    assert judged(CONTACT, body, "backfill") == Judgement()
    assert judged(CONTACT, body, "file").wanted


@pytest.mark.parametrize("source", ["websocket", "eventbridge", "file", "backfill"])
def test_an_occurrence_is_the_same_from_every_source(source: Source) -> None:
    found = only(judged(CUSTOMER_END, END_BODY, source))
    assert found.message == only(judged(QUEUE, QUEUE_BODY)).message
    assert found.source == source


def test_a_topic_that_leaves_its_id_open_is_that_of_the_body() -> None:
    found = only(judged("v2.detail.events.conversation.{id}.customer.end", END_BODY))
    assert found.message == only(judged(CUSTOMER_END, END_BODY)).message


def test_tenants_do_not_share_occurrences() -> None:
    one, other = (only(judged(QUEUE, QUEUE_BODY, tenant=name)) for name in ("acme", "default"))
    assert one.occurrence.subject != other.occurrence.subject
    assert other.message.tenant == "default"


def test_one_rule_that_cannot_is_in_no_other_rules_way(tmp_path: Path) -> None:
    rules_of(tmp_path, contact="arguments.contact_id = 'absent'")
    file = tmp_path / "rules.toml"
    broken = file.read_text("utf-8")
    sound = broken.replace("'r'", "'sound'").replace("'absent'", "'topic.user'")
    file.write_text(f"{broken}\n{sound}", encoding="utf-8")
    found = judged(PRESENCE, {}, rules=load(file))
    assert [each.rule for each in found.wanted] == ["sound"]
    assert [each.rule for each in found.dropped] == ["r"]


@pytest.mark.parametrize("topic", ["channel.metadata", "v2.system.socket_closing", "v2.x.y.z"])
def test_a_topic_without_a_rule_asks_for_nothing(topic: str) -> None:
    assert judged(topic, {}) == Judgement()


def test_what_is_wanted_shows_no_arguments(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, attributes="arguments.attributes = '{tier: tier}'")
    assert "private" not in repr(judged(PRESENCE, {"tier": "private"}, rules=rules))


fields = st.sampled_from(
    [*ATTRIBUTES_BODY, *END_BODY, *QUEUE_BODY, *CUSTOMER, *GUEST, "mergedTo", "mergeSet", "topic"]
)
bodies = st.dictionaries(
    fields,
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(st.characters(categories=None), max_size=20)
        | st.sampled_from(["MESSAGE", "customer", "disconnected", "c-1", AT_MS, iso(AT)]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields, inner, max_size=4),
        max_leaves=15,
    ),
)


@given(
    st.sampled_from([ATTRIBUTES, CUSTOMER_END, QUEUE, CONTACT]),
    bodies,
    st.sampled_from(["websocket", "backfill"]),
)
def test_any_body_is_judged_and_whatever_is_wanted_can_be_sent(
    topic: str, body: dict[str, Any], source: Source
) -> None:
    found = judged(topic, body, source)
    for each in found.wanted:
        message = each.message
        assert message.operation_id == each.occurrence.operation_id
        assert PUBLIC[message.task].model_validate_json(json.dumps(message.arguments())) == message
    for dropped in found.dropped:
        assert dropped.reason.startswith(("missing: ", "invalid: "))
        assert dropped.reason.isprintable()
