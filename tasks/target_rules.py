"""What a customer store asks of an attribute: its field's name, its length, its field's definition.

Problems are told by the names of fields, never by a value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping

from tasks.apis.customers import CustomerAttribute, Definition, Shape
from tasks.refusals import kept_attribute, shown_attribute
from tasks.wire_values import as_text, on_the_wire

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def field_key(name: str, shape: Shape) -> str:
    """Return what two names have in common under which the target has one field, to be kept."""
    return kept_attribute(folded(name) if shape.names_fold_case else name)


def folded(name: str) -> str:
    """Return `name` without its case, its outer and repeated spaces and its way to write accents.

    Unicode's canonical caseless matching: case folding leaves what is decomposed so.
    """
    return unicodedata.normalize("NFD", " ".join(name.split())).casefold()


def name_problems(
    name: str, shape: Shape, definitions: Mapping[str, Definition] | None
) -> Iterator[str]:
    """Yield what is wrong with the name of a field that is to be written."""
    if shape.name_rule and not shape.name_rule.pattern.fullmatch(name):
        yield f"maps to {shown_attribute(name)!r}, which {shape.name_rule.sentence}"
    if definitions is not None and name not in definitions:
        yield f"maps to {shown_attribute(name)!r}, which the target does not define"


def value_problems(
    attribute: CustomerAttribute, shape: Shape, definitions: Mapping[str, Definition] | None
) -> Iterator[str]:
    """Yield what is wrong with the value for its field."""
    sent = on_the_wire(attribute, shape)
    if shape.longest and isinstance(sent, str) and len(sent) > shape.longest:
        yield f"is longer than the target's {shape.longest:,} characters"
    if definition := (definitions or {}).get(attribute.name):
        yield from _disagreements(as_text(sent), definition)


def missing_fields(names: Collection[str], definitions: Mapping[str, Definition]) -> list[str]:
    """Return the fields that the target requires and that are not among `names`, in order.

    `names` are those of all the fields that the customer has after the write.
    """
    required = (each.name for each in definitions.values() if each.required)
    return sorted(name for name in required if name not in names)


def _disagreements(text: str, definition: Definition) -> Iterator[str]:
    if definition.required and not text:
        yield f"is empty, and the target requires {shown_attribute(definition.name)!r}"
    elif definition.type == "list" and text not in definition.values:
        named = shown_attribute(definition.name)
        yield f"is none of the {len(definition.values)} values of {named!r}"
    elif definition.type == "email" and not _EMAIL.fullmatch(text):
        yield "is not an e-mail address"
