"""Custom fields of a contact: values of the core types that their schema names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from workers.sandbox.errors import Refused
from workers.sandbox.platform.errors import invalid
from workers.sandbox.world import Document, Documents

_PREFIX = "#/definitions/"


def check(schemas: Documents, contact: Mapping[str, Any]) -> None:
    """Raise Refused (422) unless the contact's custom fields keep to the schema that it names."""
    fields = contact.get("customFields")
    schema = contact.get("schema")
    if schema is None:
        if fields:
            raise _failed("schema", "is required where there are custom fields")
        return
    known = schemas.get(schema["id"])
    if known is None or known["version"] != schema["version"] or not known["enabled"]:
        raise _failed("schema", "there is no such schema, in this version, enabled")
    properties = known["jsonSchema"]["properties"]
    for name, value in (fields or {}).items():
        _check_field(name, value, properties.get(name))


def _check_field(name: str, value: Any, rules: Document | None) -> None:
    if rules is None:
        raise _failed(f"customFields.{name}", "is no field of the schema")
    core = rules["allOf"][0]["$ref"].removeprefix(_PREFIX)
    if not _CORE_TYPES[core](value, rules):
        raise _failed(f"customFields.{name}", f"is no {core} as the schema has it")


def _failed(field: str, message: str) -> Refused:
    return invalid(field, message, "custom.fields.validation.failed")


def _is_text(value: Any, rules: Document) -> bool:
    shortest, longest = rules.get("minLength", 0), rules.get("maxLength", 1000)
    return isinstance(value, str) and shortest <= len(value) <= longest


def _is_choice(value: Any, rules: Document) -> bool:
    return value in rules["enum"]


def _is_integer(value: Any, rules: Document) -> bool:
    return type(value) is int and _is_number(value, rules)


def _is_number(value: Any, rules: Document) -> bool:
    if type(value) not in (int, Decimal):
        return False
    return bool(rules.get("minimum", value) <= value <= rules.get("maximum", value))


def _is_date(value: Any, _rules: Document) -> bool:
    return isinstance(value, str) and len(value) == 10 and _reads(date.fromisoformat, value)


def _is_moment(value: Any, _rules: Document) -> bool:
    return isinstance(value, str) and len(value) > 10 and _reads(datetime.fromisoformat, value)


def _is_truth(value: Any, _rules: Document) -> bool:
    return isinstance(value, bool)


def _are_tags(value: Any, rules: Document) -> bool:
    if not isinstance(value, list) or len(value) > rules.get("maxItems", 10):
        return False
    texts = all(_is_text(each, rules.get("items", {})) for each in value)
    return texts and len(set(value)) == len(value)


def _reads(reader: Callable[[str], Any], value: str) -> bool:
    try:
        reader(value)
    except ValueError:
        return False
    return True


_CORE_TYPES: Mapping[str, Callable[[Any, Document], bool]] = {
    "text": _is_text,
    "longtext": _is_text,
    "identifier": _is_text,
    "enum": _is_choice,
    "integer": _is_integer,
    "number": _is_number,
    "date": _is_date,
    "datetime": _is_moment,
    "checkbox": _is_truth,
    "tag": _are_tags,
}
