"""A file of rules is taken whole, or refused with the file, the line, the field and the rule."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import RulesError, SettingsError
from workers.bridge.judging import patterns
from workers.bridge.judging.expressions import Expression, holds
from workers.bridge.judging.rules import RuleSet, default_rules, load
from workers.bridge.judging.toml_lines import Lines

ATTRIBUTES = "v2.detail.events.conversation.{id}.attributes"
CUSTOMER_END = "v2.detail.events.conversation.{id}.customer.end"
QUEUE_MESSAGES = "v2.routing.queues.{id}.conversations.messages"
CONTACT = "v2.externalcontacts.contacts.{id}"

RULE = """
[[rule]]
name = "customer-left"
topic = "v2.detail.events.conversation.{id}.customer.end"
when = "mediaType == 'MESSAGE'"
task = "redact_interaction"
subject = "conversationId"
occurrence = { at = "eventTime" }
backfill = "every"
[rule.arguments]
interaction_id = "conversationId"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rules.toml"


def loaded(file: Path, text: str = RULE) -> RuleSet:
    file.write_text(text, encoding="utf-8")
    return load(file)


def refusal(file: Path, text: str) -> str:
    with pytest.raises(RulesError) as refused:
        loaded(file, text)
    return str(refused.value)


def changed(field: str, line: str) -> str:
    """The rule with another line in the place of the one of `field`."""
    lines = [line if each.startswith(f"{field} =") else each for each in RULE.split("\n")]
    return "\n".join(lines)


def test_a_rule_is_what_its_table_says(file: Path) -> None:
    (rule,) = loaded(file)
    assert (rule.name, rule.topic, rule.task) == (
        "customer-left",
        CUSTOMER_END,
        "redact_interaction",
    )
    assert (rule.backfill, rule.enabled, rule.max_age) == ("every", True, timedelta(days=5))
    assert rule.required == ("interaction_id",)


@pytest.mark.parametrize(
    ("age", "seconds"), [("90s", 90), ("30m", 1_800), ("12h", 43_200), ("7d", 604_800)]
)
def test_an_age_is_a_number_with_its_unit(file: Path, age: str, seconds: int) -> None:
    (rule,) = loaded(file, changed("backfill", f'backfill = "every"\nmax_age = "{age}"'))
    assert rule.max_age == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("field", "line", "told"),
    [
        ("name", "", "line 2: name: is required"),
        ("name", 'name = "a b"', "line 3: name: "),
        ("name", "name = 5", "line 3: name: "),
        ("topic", "", "line 2: topic: is required"),
        ("topic", 'topic = "v2.users"', "line 4: topic: must be a topic such as v2."),
        ("topic", 'topic = "v1.users.{id}.presence"', "line 4: topic: must be a topic such"),
        ("topic", 'topic = "channel.metadata"', "line 4: topic: must be a topic such as v2."),
        ("topic", 'topic = "v2.system.socket_closing"', "line 4: topic: must be a topic of events"),
        ("topic", 'topic = "v2.{a}.{b}"', "line 4: topic: must be a topic of events"),
        ("topic", 'topic = "v2.users.*.presence"', "line 4: topic: must have {id} in the place"),
        ("topic", 'topic = "v2.users.{id"', "line 4: topic: must consist of names and {id}"),
        ("topic", 'topic = "v2.users..presence"', "line 4: topic: must consist of names"),
        ("topic", f'topic = "v2.users.{"a" * 300}"', "line 4: topic: must be a topic such"),
        ("when", 'when = "a =="', "line 5: when: is no JMESPath from column 5 on"),
        ("when", 'when = "a = b"', "line 5: when: is no JMESPath from column "),
        ("when", 'when = "a[?"', "line 5: when: is no JMESPath from column "),
        ("when", 'when = "a }"', "line 5: when: is no JMESPath from column 3 on"),
        ("when", 'when = ""', "line 5: when: is empty"),
        ("when", "when = true", "line 5: when: must be a text: a JMESPath expression"),
        ("when", 'when = "len(a)"', "line 5: when: calls a function that JMESPath does not have"),
        ("when", 'when = "length(a, b)"', "line 5: when: calls length() with 2 arguments"),
        ("when", 'when = "not_null()"', "line 5: when: calls not_null() with 0 arguments"),
        ("when", 'when = "&a"', "line 5: when: has an & outside of a function's arguments"),
        ("when", 'when = "a == `b`"', "line 5: when: what is between backticks must be JSON"),
        ("when", f'when = "{"(" * 5_000}"', "line 5: when: is nested too deeply"),
        ("task", "", "line 2: task: is required"),
        ("task", 'task = "redact"', "line 6: task: must be one of merge_profiles, merge_and_sync,"),
        ("task", 'task = "sweep_page"', "line 6: task: must be one of merge_profiles,"),
        ("task", 'task = "confirm_attributes"', "line 6: task: must be one of"),
        ("task", "task = []", "line 6: task: "),
        ("subject", "", "line 2: subject: is required"),
        ("subject", 'subject = "["', "line 7: subject: is no JMESPath"),
        ("occurrence", "", "line 2: occurrence: is required"),
        ("occurrence", "occurrence = {}", "line 8: occurrence: must have exactly one of at,"),
        ("occurrence", 'occurrence = { at = "a", ids = "b" }', "line 8: occurrence: must have ex"),
        ("occurrence", 'occurrence = { on = "a" }', "line 8: occurrence.on: is not a known field"),
        ("occurrence", 'occurrence = { at = "[" }', "line 8: occurrence.at: is no JMESPath"),
        ("occurrence", 'occurrence = "eventTime"', "line 8: occurrence: "),
        ("backfill", "", "line 2: backfill: is required"),
        ("backfill", 'backfill = "all"', "line 9: backfill: Input should be 'every', 'latest' or"),
        ("backfill", 'backfill = "every"\nmax_age = "8d"', "line 10: max_age: must be a number"),
        ("backfill", 'backfill = "every"\nmax_age = "0d"', "line 10: max_age: must be a number"),
        ("backfill", 'backfill = "every"\nmax_age = "5"', "line 10: max_age: must be a number"),
        ("backfill", 'backfill = "every"\nmax_age = 5', "line 10: max_age: must be a number"),
        ("backfill", 'backfill = "every"\nenabled = "yes"', "line 10: enabled: "),
        ("backfill", 'backfill = "every"\nmatch = "a"', "line 10: match: is not a known field"),
        ("interaction_id", "", "line 10: arguments.interaction_id: is required by redact_interac"),
        ("interaction_id", 'id = "a"', "line 11: arguments.id: is no argument of redact_inter"),
        ("interaction_id", 'tenant = "a"', "line 11: arguments.tenant: is no argument of"),
        ("interaction_id", 'operation_id = "a"', "line 11: arguments.operation_id: is no argum"),
        ("interaction_id", 'interaction_id = "a."', "line 11: arguments.interaction_id: is no J"),
        ("interaction_id", "interaction_id = { a = 'b' }", "line 11: arguments.interaction_id: m"),
        ("interaction_id", "interaction_id = \"'a/b'\"", "line 11: arguments.interaction_id: mus"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_line_and_field(
    file: Path, field: str, line: str, told: str
) -> None:
    refused = refusal(file, changed(field, line))
    assert refused.startswith(f"rules.toml, {told}")
    assert refused.isprintable()


@pytest.mark.parametrize(
    ("topic", "backfill", "most"),
    [
        (ATTRIBUTES, "every", "latest"),
        (CONTACT, "latest", "nothing"),
        ("v2.users.{id}.presence", "every", "nothing"),
        ("v2.detail.events.conversation.{id}.customer.start", "latest", "nothing"),
    ],
)
def test_no_rule_may_claim_more_of_a_backfill_than_it_can_do(
    file: Path, topic: str, backfill: str, most: str
) -> None:
    text = changed("topic", f'topic = "{topic}"').replace('"every"', f'"{backfill}"')
    assert refusal(file, text) == (
        f"rules.toml, line 9: backfill: must be {most}, which is the most for this topic"
    )


@pytest.mark.parametrize("topic", [CUSTOMER_END, QUEUE_MESSAGES])
@pytest.mark.parametrize("backfill", ["every", "latest", "nothing"])
def test_a_rule_may_claim_less(file: Path, topic: str, backfill: str) -> None:
    text = changed("topic", f'topic = "{topic}"').replace('"every"', f'"{backfill}"')
    assert [rule.backfill for rule in loaded(file, text)] == [backfill]


def test_two_rules_with_one_name_are_refused(file: Path) -> None:
    assert refusal(file, RULE + RULE) == ("rules.toml, line 14: name: is the name of a rule above")


def test_attributes_are_named_each(file: Path) -> None:
    attributes = 'task = "sync_profile"\narguments.contact_id = "c"\narguments.attributes = "{}"'
    start = RULE.partition("[rule.arguments]")[0].replace('task = "redact_interaction"', attributes)
    for named in (
        "attributes.{tier: tier}",
        "{tier: attributes.tier}",
        "attributes.{tier: tier} || {tier: 'none'}".replace("'none'", "other"),
        "attributes | {tier: tier}",
        "merge(attributes.{a: a}, {b: b})",
        '`{\\"source\\": \\"bridge\\"}`',
    ):
        loaded(file, start.replace("{}", named))
    for unnamed in ("attributes", "@", "merge(attributes, {b: b})", "a.{b: b} || attributes"):
        assert refusal(file, start.replace("{}", unnamed)) == (
            "rules.toml, line 8: arguments.attributes: must name each field: "
            "attributes.{tier: tier}"
        )


@pytest.mark.parametrize(
    ("entities", "told"),
    [
        ("['email', 'phone']", None),
        ('`[\\"email\\"]`', None),
        ("'email'", "arguments.entities: Input should be a valid list"),
        ("['E-mail']", "arguments.entities: 0: String should match"),
        ("`[]`", "arguments.entities: List should have at least 1 item"),
    ],
)
def test_what_a_rule_says_of_every_event_is_checked_at_once(
    file: Path, entities: str, told: str | None
) -> None:
    text = f'{RULE}entities = "{entities}"\n'
    if told is None:
        assert len(loaded(file, text)) == 1
    else:
        assert refusal(file, text).startswith(f"rules.toml, line 12: {told}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "rules.toml, line 1: rule: at least one table [[rule]] is required"),
        ("rule = []", "rules.toml, line 1: rule: at least one table [[rule]] is required"),
        ("\n[rule]\nname = 'a'", "rules.toml, line 2: rule: at least one table [[rule]] is req"),
        ("rule = [5]", "rules.toml, line 1: Input should be a valid dictionary"),
        ("\n\nrules = 1" + RULE, "rules.toml, line 3: only tables [[rule]] are known"),
        (RULE + "[other]\n", "rules.toml, line 12: only tables [[rule]] are known"),
        (RULE + "name", "rules.toml, line 12: is no TOML: "),
        ("a = '", "rules.toml, line 1: is no TOML: "),
        ("a = " + "[" * 5_000, "rules.toml: is no TOML: nested too deeply"),
        ("a = " + "9" * 5_000, "rules.toml: is no TOML: nested too deeply, or a number too long"),
        (RULE + '"odd\\nname" = 5', "rules.toml, line 12: arguments.?: must be a text"),
        (RULE + "\"odd\\nname\" = 'a'", "rules.toml, line 10: arguments.?: is no argument of"),
    ],
)
def test_what_is_no_file_of_rules_is_refused_in_one_line(file: Path, text: str, told: str) -> None:
    refused = refusal(file, text)
    assert refused.startswith(told)
    assert refused.isprintable()


def test_a_file_that_cannot_be_read_is_refused(file: Path) -> None:
    with pytest.raises(SettingsError, match=r"^rules\.toml: cannot be read \(No such file"):
        load(file)
    file.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"^rules\.toml: is not UTF-8$"):
        load(file)


def test_lines_are_those_of_the_document_however_it_is_written() -> None:
    text = (
        "# [[rule]] in a comment\r\n"
        "[[rule]]\r\n"
        'name = """\r\n[[rule]]\r\nname = 1\r\n"""  # a text over lines\r\n'
        "list = [  # [[rule]]\r\n  1,\r\n\r\n  2 ]\r\n"
        "a.b = 1\r\n"
        "  [ rule . arguments ]  \r\n"
        "\r\n"
        "b = { c = 1 }\r\n"
        "[[rule]]\r\n"
        "'name' = 2"
    )
    lines = Lines(text)
    assert lines.of(("rule", 0)) == 2
    assert lines.of(("rule", 0, "name")) == 3
    assert lines.of(("rule", 0, "list")) == 7
    assert lines.of(("rule", 0, "list", 1)) == 7
    assert lines.of(("rule", 0, "a", "b")) == 11
    assert lines.of(("rule", 0, "arguments")) == 12
    assert lines.of(("rule", 0, "arguments", "b", "c")) == 14
    assert lines.of(("rule", 0, "missing")) == 2
    assert lines.of(("rule", 1)) == 15
    assert lines.of(("rule", 1, "name")) == 16
    assert lines.of(("rule", 2)) == 1
    assert lines.of(("other",)) == 1


def test_rules_in_one_array_have_its_line() -> None:
    lines = Lines('\nrule = [ { name = "a" },\n { name = "b" } ]')
    assert lines.of(("rule", 1, "name")) == 2


def test_the_topics_are_those_of_rules_that_are_on(file: Path) -> None:
    off = RULE.replace("customer-left", "off").replace("customer.end", "attributes")
    twice = RULE.replace("customer-left", "twice")
    text = RULE + off.replace('"every"', '"latest"\nenabled = false') + twice
    assert loaded(file, text).topics() == (CUSTOMER_END,)
    assert default_rules().topics() == (ATTRIBUTES, CUSTOMER_END, QUEUE_MESSAGES, CONTACT)


def test_a_backfill_looks_for_what_rules_want_and_the_contract_knows(file: Path) -> None:
    rules = default_rules()
    assert rules.recoverable("platform") == {"ends": True, "attributes": True}
    assert rules.recoverable("guide") == {"ends": True, "attributes": False}
    nothing = {"ends": False, "attributes": False}
    assert loaded(file, RULE.replace('"every"', '"nothing"')).recoverable("platform") == nothing
    off = RULE.replace('"every"', '"every"\nenabled = false')
    assert loaded(file, off).recoverable("guide") == nothing
    queue = RULE.replace(CUSTOMER_END, "v2.routing.queues.{queue}.conversations.messages")
    assert loaded(file, queue).recoverable("guide") == {"ends": True, "attributes": False}


def test_the_shipped_rules_are_the_documented_ones() -> None:
    told = {
        rule.name: (rule.topic, rule.task, rule.backfill, rule.enabled) for rule in default_rules()
    }
    assert told == {
        "attributes-changed": (ATTRIBUTES, "sync_profile", "latest", True),
        "customer-left": (CUSTOMER_END, "redact_interaction", "every", True),
        "customer-disconnected": (QUEUE_MESSAGES, "redact_interaction", "every", True),
        "contacts-merged": (CONTACT, "sync_profile", "nothing", True),
        "guest-identified": (CONTACT, "merge_and_sync", "nothing", False),
    }


@pytest.mark.parametrize(
    ("topic", "found"),
    [
        ("v2.users.u-1.presence", [("a", {"id": "u-1"}), ("b", {"user": "u-1"})]),
        ("v2.users.{id}.presence", [("a", {}), ("b", {})]),
        ("v2.users.u-1.activity", [("c", {})]),
        ("v2.users.u-2.activity", []),
        ("v2.users.u-1.presence.more", []),
        ("v2.users.u-1", []),
        ("v2.audits.a.b", [("d", {"id": "b"})]),
        ("", []),
    ],
)
def test_a_topic_fits_the_patterns_that_are_like_it(
    topic: str, found: list[tuple[str, dict[str, str]]]
) -> None:
    held = patterns.Patterns(
        (
            ("v2.users.{id}.presence", "a"),
            ("v2.users.{user}.presence", "b"),
            ("v2.users.u-1.activity", "c"),
            ("v2.audits.{id}.{id}", "d"),
        )
    )
    assert [*held.of(topic)] == found


@pytest.mark.parametrize("value", ["", [], {}, None, False])
def test_what_is_empty_does_not_hold(value: object) -> None:
    assert not holds(value)


@pytest.mark.parametrize("value", ["a", [None], {"a": None}, 0, 0.0, True])
def test_all_else_holds(value: object) -> None:
    assert holds(value)


@pytest.mark.parametrize(
    "text",
    [
        "length(a)",
        "a < 'text'",
        "sum(a)",
        "max_by(list, &@)",
        "contains('text', a)",
        "list[::0]",
        "ceil(inf)",
        "to_number(long)",
    ],
)
def test_what_an_expression_cannot_tell_of_a_body_is_a_value_error(text: str) -> None:
    body = {"a": 5, "list": [{}, 1, "b"], "inf": float("inf"), "long": "9" * 5_000}
    expression = Expression(text)
    if text == "to_number(long)":
        assert expression.of(body) == float("inf")
        return
    with pytest.raises(ValueError, match="cannot be told of this event"):
        expression.of(body)


@given(st.text(max_size=30) | st.text("abc[]{}().|&!=<>'`\"@*?:, 0\\", max_size=30))
def test_any_text_is_an_expression_or_refused_in_one_line(text: str) -> None:
    try:
        expression = Expression(text)
    except ValueError as error:
        refused = str(error)
    else:
        assert expression.text == text
        return
    assert refused.isprintable()
    assert refused.startswith(("is ", "calls ", "has ", "what is between"))
