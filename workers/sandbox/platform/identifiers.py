"""What identifies a contact: its e-mail addresses, phone numbers and external ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from workers.sandbox.platform.contact_rules import EMAILS, PHONES
from workers.sandbox.world import Document


def of(contact: Mapping[str, Any]) -> list[Document]:
    """The `ContactIdentifier`s that a contact has claimed by what stands in its fields."""
    values = [("Email", contact[name]) for name in EMAILS if name in contact]
    values += [("Phone", contact[name].get("e164", "")) for name in PHONES if name in contact]
    claimed: list[Document] = [{"type": kind, "value": value} for kind, value in values if value]
    return claimed + [{"type": "ExternalId", **each} for each in contact.get("externalIds", ())]


def comparable(kind: str, value: str) -> tuple[str, str]:
    """An identifier as it is compared: without case, a phone's without separators."""
    text = re.sub(r"[\s()./-]", "", value) if kind == "Phone" else value.strip().casefold()
    return kind, text
