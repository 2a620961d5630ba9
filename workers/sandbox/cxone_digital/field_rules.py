"""What a tenant's definitions let stand in custom fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from workers.sandbox.cxone_digital.errors import Problem, problem
from workers.sandbox.world import Documents

LONGEST_VALUE = 1024
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def problems(new: Mapping[str, str], definitions: Documents) -> Iterator[Problem]:
    """All that is wrong with values by ident. As the guides' own do, texts quote the value."""
    for ident, value in new.items():
        definition = definitions.get(ident)
        if definition is None:
            yield problem(ident, "customField.unknown", f"{ident} is not defined")
        elif len(value) > LONGEST_VALUE:
            yield problem(ident, "value.tooLong", f"longer than {LONGEST_VALUE} characters")
        elif not _agrees(definition, value):
            yield problem(ident, "value.invalid", f"'{value}' is no {definition['type']} value")


def missing(after: Mapping[str, str], definitions: Documents) -> Iterator[Problem]:
    """The required fields that a customer would be without."""
    for ident, definition in definitions.items():
        if definition["isRequired"] and not after.get(ident):
            yield problem(ident, "value.required", f"{ident} is required")


def _agrees(definition: Mapping[str, Any], value: str) -> bool:
    if definition["type"] == "list":
        return value in definition["values"]
    return definition["type"] != "email" or _EMAIL.fullmatch(value) is not None
