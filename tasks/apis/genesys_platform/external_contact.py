"""An external contact's record: its place in a merge, its attributes, its writable fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ConfigDict

from tasks.apis.bodies import Body
from tasks.errors import Rejected

CONTACT = "/api/v2/externalcontacts/contacts/{contact_id}"
VIEW = "externalContacts:contact:view"

NAMES = ("firstName", "middleName", "lastName", "salutation", "title")
#: Slots of one kind; an identity is the first that is filled.
EMAILS = ("workEmail", "personalEmail", "otherEmail")
PHONES = ("cellPhone", "workPhone", "homePhone", "otherPhone")
OTHERS = ("surveyOptOut", "externalSystemUrl")
#: What of a custom-field schema names it; the rest of it is the vendor's to write.
SCHEMA = ("id", "name", "version", "enabled", "jsonSchema")


class Reference(Body):
    """A link to another contact."""

    id: str


class ExternalContact(Body):
    """A contact as the API gives it; what is not about merging stays in `document`."""

    model_config = ConfigDict(extra="allow")

    id: str
    canonical_contact: Reference | None = None
    merged_to: Reference | None = None
    merge_set: list[Reference] = []
    merged_from: list[Reference] = []

    @property
    def document(self) -> Mapping[str, Any]:
        """The other fields, by the vendor's names."""
        return self.model_extra or {}

    @property
    def canonical_id(self) -> str:
        """The id of the record that stands for its whole merge set, else its own."""
        head = self.canonical_contact or self.merged_to
        return head.id if head else self.id

    @property
    def merged_ids(self) -> frozenset[str]:
        """The ids of all records that have become one with it, its own included."""
        return frozenset({self.id, *(each.id for each in (*self.merge_set, *self.merged_from))})

    def attributes(self) -> dict[str, object]:
        """Return custom and standard fields in one flat map: phone numbers in E.164, tags joined.

        `address.` and `externalId.` lead the names of an address's parts and of external sources.
        Parts of another shape than the vendor's are left out.
        """
        own = {name: self.document.get(name) for name in (*NAMES, *EMAILS, *OTHERS)}
        phones = {name: _number(self.document.get(name)) for name in PHONES}
        custom = _mapping(self.document.get("customFields"))
        found = {
            **{name: _joined(value) for name, value in custom.items()},
            **own,
            **phones,
            **dict(self._address()),
            **dict(self._external_ids()),
        }
        return {name: value for name, value in found.items() if value is not None}

    def identities(self) -> dict[str, object]:
        """Return by what people are matched: `email`, `phone` and `externalId`, as far as known."""
        known = self.attributes()
        external = (value for name, value in known.items() if name.startswith("externalId."))
        found = {
            "email": _first(known, EMAILS),
            "phone": _first(known, PHONES),
            "externalId": next(external, None),
        }
        return {name: value for name, value in found.items() if value is not None}

    def writable(self) -> dict[str, Any]:
        """Return the fields that hold a value and can be written over another contact's.

        Collections and accounts of other networks are left out: they are identities, which a merge
        joins and a write would replace. Custom fields are left out too, see `custom_fields`.
        """
        kept = {name: self.document.get(name) for name in (*NAMES, *EMAILS, *OTHERS)}
        kept["address"] = _mapping(self.document.get("address"))
        kept |= {name: _writable_phone(self.document.get(name)) for name in PHONES}
        organization = _mapping(self.document.get("externalOrganization"))
        kept["externalOrganization"] = _parts(organization, ("id", "name"))
        return {name: value for name, value in kept.items() if value not in (None, "", {})}

    def _address(self) -> Iterator[tuple[str, object]]:
        for name, value in _mapping(self.document.get("address")).items():
            yield f"address.{name}", value

    def _external_ids(self) -> Iterator[tuple[str, object]]:
        held = self.document.get("externalIds")
        for each in map(_mapping, held if isinstance(held, list) else ()):
            source = _mapping(each.get("externalSource"))
            if name := source.get("name") or source.get("id"):
                yield f"externalId.{name}", each.get("value")


def custom_fields(contacts: Sequence[ExternalContact]) -> dict[str, Any]:
    """Return `schema` and `customFields` of the first contact, filled up from the others.

    Fields of another schema do not fit, so only contacts of the first one's count. Without any
    custom fields nothing is returned. Raises `Rejected` where they are no object: a merge that
    chose others' instead could not be undone.
    """
    holding = [each for each in contacts if each.document.get("customFields")]
    if not holding:
        return {}
    schema = _mapping(holding[0].document.get("schema"))
    fields: dict[str, Any] = {}
    for each in reversed(holding):
        if _mapping(each.document.get("schema")).get("id") == schema.get("id"):
            fields |= {k: v for k, v in _held_custom_fields(each).items() if v is not None}
    return {"schema": _parts(schema, SCHEMA), "customFields": fields}


def _held_custom_fields(contact: ExternalContact) -> Mapping[str, Any]:
    held = contact.document["customFields"]
    if not isinstance(held, dict):
        raise Rejected(f"customFields: those of contact {contact.id} are no object")
    return held


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _joined(value: object) -> object:
    """Return the tags of a custom field as one text, and any other value as it is."""
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _parts(value: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value[name] for name in names if value.get(name) is not None}


def _first(values: Mapping[str, object], names: Sequence[str]) -> object:
    return next((values[name] for name in names if name in values), None)


def _number(phone: object) -> object:
    """Return a phone number in E.164, or as it is displayed where it could not be read so."""
    given = _mapping(phone)
    return given.get("e164") or given.get("display")


def _writable_phone(phone: object) -> dict[str, Any]:
    """Return a phone number as it can be written: the API makes the other fields of `display`."""
    given = _mapping(phone)
    if not (number := _number(given)):
        return {}
    kept = _parts(given, ("extension", "acceptsSMS", "normalizationCountryCode"))
    return {"display": number, **kept}
