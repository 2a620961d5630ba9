"""A tenant's own entities and rules: found, or refused at start with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.errors import SettingsError
from tasks.pii import redact_transcript
from tasks.pii.custom import mod97
from tasks.pii.rules import RedactionRules
from tasks.pii.transcripts import search_transcript
from workers.settings import Settings
from workers.tenants import Tenant, load_tenants

ACME = """
[tenants.acme]
api = "guide"
region = "eu_west_1"
client_id = "acme"
client_secret_env = "ACME_SECRET"
[tenants.acme.redaction]
"""
ENTITY = """
[[tenants.acme.redaction.entity]]
name = "member"
pattern = '\\bM-?\\d{6}\\b'
"""
KEY = "a key of more than thirty-two characters"


def rules(*entities: dict[str, Any], **others: Any) -> RedactionRules:
    return RedactionRules.model_validate({"entity": entities, **others})


def redacted(found: RedactionRules, *texts: str) -> list[str]:
    sides = "ac" * len(texts)
    messages = [{"from": side, "text": text} for side, text in zip(sides, texts, strict=False)]
    return [each["text"] for each in redact_transcript(messages, search=found.search).messages]


def load(text: str, path: Path) -> Tenant:
    file = path / "tenants.toml"
    file.write_text(text)
    environment = {"ACME_SECRET": "secret", "HASH_KEY": KEY, "SHORT_KEY": "canary-short"}
    return load_tenants(Settings(tenants_file=file), environment)["acme"]


def test_an_entity_without_words_is_found_everywhere() -> None:
    found = rules({"name": "member", "pattern": r"\bM-?\d{6}\b"}, placeholder="label")
    assert redacted(found, "I am M-123456 and ann@example.com") == ["I am [MEMBER] and [EMAIL]"]


@pytest.mark.parametrize(
    ("texts", "left"),
    [
        (["member 12345"], ["member [REDACTED]"]),
        (["12345 is my badge no"], ["[REDACTED] is my badge no"]),
        (["room 12345"], ["room 12345"]),
        (["What is your badge no?", "12345"], ["What is your badge no?", "[REDACTED]"]),
        (["What is your room?", "12345"], ["What is your room?", "12345"]),
        (["member 12345", "so 12345?"], ["member [REDACTED]", "so [REDACTED]?"]),
    ],
)
def test_an_entity_with_words_needs_one_near_or_a_question(
    texts: list[str], left: list[str]
) -> None:
    found = rules({"name": "member", "pattern": r"\b\d{5}\b", "context": ["member", "badge no"]})
    assert redacted(found, *texts) == left


@pytest.mark.parametrize(
    ("checksum", "good", "bad"),
    [
        ("luhn", "79927398713", "79927398714"),
        ("mod97", "5493001KJTIIGC8Y1R12", "5493001KJTIIGC8Y1R13"),
    ],
)
def test_a_checksum_tells_a_value_from_a_look_alike(checksum: str, good: str, bad: str) -> None:
    entity = {"name": "code", "pattern": r"\b\w{11,20}\b", "checksum": checksum}
    found = rules(entity, entities=["email"])
    assert redacted(found, f"x {good}", f"x {bad}")[0] == "x [REDACTED]"
    assert redacted(found, f"x {bad}") == [f"x {bad}"]


def test_mod_97_reads_no_other_letters() -> None:
    assert not mod97("549300１KJTIIGC8Y1R12")


@pytest.mark.parametrize("text", ["⑴⒈ab", "--"])
def test_what_a_checksum_cannot_read_is_no_value(text: str) -> None:
    found = rules({"name": "code", "pattern": r"[\w-]{2,20}", "checksum": "mod97"})
    assert redacted(found, text) == [text]


@pytest.mark.parametrize("text", ["M\u2010123456", "M-12\u200b3456", "M-１２３４５６"])
def test_an_entity_is_found_in_any_script_and_with_what_is_invisible(text: str) -> None:
    found = rules({"name": "member", "pattern": r"\bM-[0-9]{6}\b"})
    assert redacted(found, f"I am {text}.") == ["I am [REDACTED]."]


def test_what_a_placeholder_brings_near_a_word_is_found_in_its_place() -> None:
    found = rules({"name": "member", "pattern": r"\b\d{5}\b", "context": ["badge"]})
    text = f"badge 4111 1111 1111 1111 {'x' * 28} 12345"
    (line,) = search_transcript([text], found.search)
    assert [text[each.start : each.end] for each in line.found] == ["4111 1111 1111 1111", "12345"]
    assert line.text == f"badge [REDACTED] {'x' * 28} [REDACTED]"


def test_own_entities_come_on_top_of_the_chosen_ones() -> None:
    found = rules({"name": "member", "pattern": r"M\d{6}"}, entities=["email"])
    assert redacted(found, "ann@example.com M123456 +44 20 7946 0958") == [
        "[REDACTED] [REDACTED] +44 20 7946 0958"
    ]


def test_a_message_that_names_entities_wants_no_others() -> None:
    found = rules({"name": "member", "pattern": r"M\d{6}"})
    messages = [{"text": "ann@example.com M123456"}]
    (left,) = redact_transcript(messages, ["email"], search=found.search).messages
    assert left["text"] == "[REDACTED] M123456"


def test_a_tenant_is_read_with_its_entities_and_its_key(tmp_path: Path) -> None:
    text = ACME + 'placeholder = "hash"\nkey_env = "HASH_KEY"' + ENTITY
    acme = load(text, tmp_path)
    umbrella = load(text, tmp_path).redaction.model_copy(update={"tenant": "umbrella"})
    (own,) = redacted(acme.redaction, "M-123456")
    assert own.startswith("[MEMBER:")
    assert redacted(acme.redaction, "M123456") == [own]
    assert redacted(RedactionRules(**umbrella.model_dump()), "M123456") != [own]
    assert KEY not in repr(acme) + repr(acme.redaction.search)


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (ENTITY.replace("{6}", "+"), "redaction.entity.0: member: pattern: has a repeat without"),
        (
            ENTITY.replace("\\bM-?\\d{6}\\b", "M?"),
            "redaction.entity.0: member: pattern: could match",
        ),
        (ENTITY.replace("M", "("), "redaction.entity.0: member: pattern: does not compile"),
        (
            ENTITY.replace("member", "email"),
            "redaction.entity.0: email: name: is an entity already",
        ),
        (ENTITY.replace("member", "Member"), "redaction.entity.0.name: "),
        (ENTITY + ENTITY, "redaction: entity: two have the same name"),
        (ENTITY + 'context = [""]', "redaction.entity.0.context.0: "),
        (ENTITY + 'checksum = "crc"', "redaction.entity.0.checksum: "),
        ('placeholder = "hash"', "redaction: key_env: is required where placeholder is hash"),
        ('key_env = "NO_SUCH"', "key_env: the variable NO_SUCH is not set"),
        ('key_env = "SHORT_KEY"', "redaction.key: Value should have at least 32"),
        ('placeholder = "stars"', "redaction.placeholder: "),
        ('names = true\nnames_model = "xx_no_such"', "redaction: names: need"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(tmp_path: Path, table: str, line: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(ACME + table, tmp_path)
    said = str(refusal.value)
    assert said.startswith("TENANTS_FILE: tenants.acme")
    assert line in said
    assert "\n" not in said
    assert "canary" not in said
