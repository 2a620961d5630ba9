"""The shape of an external contact, field by field (source: the Swagger document)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Required, get_type_hints

from pydantic import Field, StringConstraints

# Before Python 3.12 pydantic cannot read those of `typing`.
from typing_extensions import TypedDict

from workers.sandbox.platform.shapes import Own

IdentifierType = Literal[
    "SocialLine",
    "SocialFacebook",
    "SocialTwitter",
    "SocialWhatsapp",
    "SocialInstagram",
    "SocialWhatsappBsuid",
    "AppleOpaqueId",
    "Email",
    "Phone",
    "Cookie",
    "ExternalId",
]
Action = Literal[
    "UpdateIfEmpty",
    "UpdateIfExists",
    "Update",
    "AppendToCollection",
    "Remove",
    "RemoveFromCollection",
]
Upto25 = Annotated[str, StringConstraints(max_length=25)]
Upto50 = Annotated[str, StringConstraints(max_length=50)]
Upto100 = Annotated[str, StringConstraints(max_length=100)]
Upto200 = Annotated[str, StringConstraints(max_length=200)]
Upto255 = Annotated[str, StringConstraints(max_length=255)]
Upto1000 = Annotated[str, StringConstraints(max_length=1000)]


class Division(TypedDict, total=False):
    id: str
    name: str
    selfUri: Own


class PhoneNumber(TypedDict, total=False):
    display: Required[Annotated[str, StringConstraints(min_length=1, max_length=512)]]
    extension: int
    acceptsSMS: bool
    normalizationCountryCode: str
    userInput: Own
    e164: Own
    countryCode: Own


class Address(TypedDict, total=False):
    address1: Upto200
    address2: Upto200
    city: Upto100
    state: Upto50
    postalCode: Upto25
    countryCode: Upto25


class TwitterId(TypedDict, total=False):
    id: Upto255
    name: Upto255
    screenName: Annotated[str, StringConstraints(pattern=r"^@?[A-Za-z0-9_]+$", max_length=255)]
    verified: Own
    profileUrl: Own


class LineUser(TypedDict):
    userId: Upto255


class LineId(TypedDict, total=False):
    ids: Required[Annotated[list[LineUser], Field(max_length=1)]]
    displayName: Upto100


class WhatsAppId(TypedDict, total=False):
    phoneNumber: Required[PhoneNumber]
    displayName: Upto100


class ScopedId(TypedDict):
    scopedId: Upto255


class FacebookId(TypedDict, total=False):
    ids: Required[Annotated[list[ScopedId], Field(max_length=1)]]
    displayName: Upto100


class InstagramId(TypedDict, total=False):
    ids: Required[Annotated[list[ScopedId], Field(max_length=1)]]
    displayName: Upto100
    handle: Upto100


class AppleOpaqueId(TypedDict, total=False):
    value: Upto255


class ExternalSource(TypedDict, total=False):
    id: str
    name: Upto200
    active: bool
    linkConfiguration: dict[str, Any]
    selfUri: Own


class ExternalId(TypedDict):
    externalSource: ExternalSource
    value: Upto255


class SchemaReference(TypedDict, total=False):
    id: Required[str]
    version: Required[int]
    name: str
    appliesTo: Own
    enabled: bool
    createdBy: Own
    dateCreated: Own
    jsonSchema: dict[str, Any]
    selfUri: Own


class ExternalContact(TypedDict, total=False):
    """Body of `PUT …/contacts/{contactId}`, and of a merge's `valueOverride`."""

    id: Own
    division: Division
    firstName: Upto1000
    middleName: Upto1000
    lastName: Upto1000
    salutation: Upto1000
    title: Upto1000
    workPhone: PhoneNumber
    cellPhone: PhoneNumber
    homePhone: PhoneNumber
    otherPhone: PhoneNumber
    workEmail: str
    personalEmail: str
    otherEmail: str
    address: Address
    twitterId: TwitterId
    lineId: LineId
    whatsAppId: WhatsAppId
    facebookId: FacebookId
    instagramId: InstagramId
    appleOpaqueIds: Annotated[list[AppleOpaqueId], Field(max_length=10)]
    externalIds: Annotated[list[ExternalId], Field(max_length=10)]
    # Claimed by an operation of its own.
    identifiers: Own
    modifyDate: Own
    createDate: Own
    externalOrganization: dict[str, Any]
    surveyOptOut: bool
    externalSystemUrl: Upto1000
    schema: SchemaReference
    customFields: dict[str, Any]
    externalDataSources: Own
    type: Own
    canonicalContact: Own
    mergeSet: Own
    mergedFrom: Own
    mergedTo: Own
    mergeOperation: Own
    selfUri: Own


#: What clients may write of a contact; the rest is the system's.
WRITABLE = frozenset(
    name
    for name, kind in get_type_hints(ExternalContact, include_extras=True).items()
    if kind != Own
)


class MergeContactsRequest(TypedDict, total=False):
    """Body of `POST …/contacts/merge`."""

    contactIds: Required[list[str]]
    valueOverride: ExternalContact


class PatchChange(TypedDict, total=False):
    field: Required[str]
    action: Required[Action]
    value: Any


class PatchRequest(TypedDict, total=False):
    """Body of `PATCH …/contacts/{contactId}`."""

    changes: list[PatchChange]


class EntityReference(TypedDict, total=False):
    id: str


class BulkIdsRequest(TypedDict, total=False):
    """Body of the two bulk reads."""

    entities: list[EntityReference]


class ContactIdentifier(TypedDict, total=False):
    """Body of `POST …/identifierlookup/contacts`."""

    division: Division
    type: Required[IdentifierType]
    value: Required[Upto255]
    dateCreated: str
    externalSource: ExternalSource
