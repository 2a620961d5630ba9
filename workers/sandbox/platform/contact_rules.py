"""What a written contact has to keep to, and how the system puts it into order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from workers.sandbox.errors import Refused
from workers.sandbox.platform import custom_fields
from workers.sandbox.platform.errors import invalid
from workers.sandbox.platform.phone_numbers import normalized
from workers.sandbox.world import Document, Organization

#: In the order in which a merge looks for a free one.
PHONES = ("workPhone", "cellPhone", "homePhone", "otherPhone")
EMAILS = ("workEmail", "personalEmail", "otherEmail")
TEXTS = ("firstName", "middleName", "lastName", "salutation", "title", "externalSystemUrl")
LONGEST_EMAIL = 256
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def in_order(organization: Organization, fields: Mapping[str, Any]) -> Document:
    """The writable fields of a contact as they are kept: texts stripped, phones read.

    Raises Refused: 422 naming the field that breaks a rule, 400 for an unknown division.
    """
    ordered = {**fields}
    for name in TEXTS:
        if name in ordered:
            ordered[name] = ordered[name].strip()
    for name in EMAILS:
        if name in ordered:
            ordered[name] = _email(name, ordered[name])
    for name in PHONES:
        if name in ordered:
            ordered[name] = normalized(ordered[name])
    if "division" in ordered:
        ordered["division"] = _division(organization, ordered["division"])
    custom_fields.check(organization.contact_schemas, ordered)
    if "schema" in ordered:
        ordered["schema"] = {name: ordered["schema"][name] for name in ("id", "version")}
    return ordered


def _email(name: str, written: str) -> str:
    email = written.strip()
    if len(email) > LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        raise invalid(name, "is no e-mail address")
    return email


def _division(organization: Organization, division: Mapping[str, Any]) -> Document:
    known = organization.divisions.get(division.get("id", ""))
    if known is None:
        raise Refused(400, "invalid.division.id", "The specified division(s) is not valid.")
    return {**known}
