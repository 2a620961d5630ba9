"""The shapes of what an organisation owns, with defaults for what a test leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel, to_snake

from workers.sandbox.call import complaint
from workers.sandbox.errors import Refused, bad_request
from workers.sandbox.notifications.contact_events import contact_changed, profiles_merged
from workers.sandbox.notifications.conversation_events import conversation_changed
from workers.sandbox.notifications.events import Contract, Event
from workers.sandbox.notifications.guide_views import call_view, chat_view, contact_view
from workers.sandbox.wire import instant, iso, later
from workers.sandbox.world import Document, Documents, Organization, World, new_id


def _is_moment(text: str) -> str:
    instant(text)
    return text


Moment = Annotated[str, AfterValidator(_is_moment)]
MomentOrNone = Annotated[str, AfterValidator(lambda text: text and _is_moment(text))]


class _Document(BaseModel):
    """Known fields are checked, others are kept: real documents have many more."""

    model_config = ConfigDict(
        alias_generator=to_camel, strict=True, extra="allow", hide_input_in_errors=True
    )


class Link(_Document):
    """A profile that was merged into the one that holds the link."""

    profile_id: str


class Profile(_Document):
    """A guest profile."""

    profile_id: str
    custom_attributes: dict[str, Any] = {}
    links: list[Link] = []


class Consent(_Document):
    """What the customer said to one purpose."""

    purpose: str
    status: Literal["granted", "denied", "withdrawn", "unknown"]


class Consents(_Document):
    """The consent records of a profile."""

    consents: list[Consent]


class Participant(_Document):
    """One side of a conversation."""

    id: str = ""
    name: str = ""
    type: str = "user"
    state: str = "connected"
    participant_attributes: dict[str, str] = {}
    last_updated: MomentOrNone = ""


class Conversation(_Document):
    """A voice conversation."""

    id: str
    state: Literal["active", "ended"] = "active"
    participants: list[Participant] = []


class Contact(_Document):
    """A contact with its attributes."""

    contact_id: str
    attributes: dict[str, Any] = {}


class Typed(_Document):
    """An attribute's value with its CXone type."""

    value: Any
    type: str


class Customer(_Document):
    """A CXone customer: attributes by name."""

    customer_id: str
    attributes: dict[str, Typed] = {}


class Configuration(_Document):
    """A web messaging configuration; most of its fields are nobody's business here."""

    organization_id: str
    version: int = Field(default=1, ge=1)


class Message(_Document):
    """One message of an interaction."""

    id: str
    text: str = ""


class Interaction(_Document):
    """A chat; `active` ones go on, `completed` ones do not."""

    id: str
    type: str = "webmessaging"
    state: str = "completed"
    messages: list[Message] = []
    participants: list[dict[str, Any]] = []
    start_time: MomentOrNone = ""


class Entity(_Document):
    """What the Platform API keeps under an id of its own."""

    id: str


class ExternalContact(Entity):
    """A contact of the Platform API; without a division it is in the organisation's home."""

    type: Literal["Ephemeral", "Identified", "Curated"] = "Identified"
    division: dict[str, Any] = {}
    create_date: MomentOrNone = ""
    modify_date: MomentOrNone = ""


class PlatformParticipant(_Document):
    """One side of a conversation of the Platform API."""

    id: str = ""
    purpose: str = "agent"
    attributes: dict[str, str] = {}


class PlatformConversation(Entity):
    """A conversation of the Platform API; it goes on unless it has an `endTime`."""

    start_time: MomentOrNone = ""
    participants: list[PlatformParticipant] = []


class WebVersion(_Document):
    """The draft of a configuration, or a published version of it."""

    name: str = "configuration"
    version: str = "DRAFT"
    status: Literal["Pending", "Active"] = "Active"
    date_modified: Moment = iso(0)


class WebConfiguration(Entity):
    """A web messaging configuration of the Platform API."""

    draft: WebVersion = WebVersion()
    versions: list[WebVersion] = []


class Release(_Document):
    """A version of a configuration."""

    id: str
    version: str


class WebDeployment(Entity):
    """A web deployment; without an `activeConfiguration` it shows its `configuration`."""

    name: str = "deployment"
    status: Literal["Pending", "Active"] = "Active"
    date_modified: Moment = iso(0)
    configuration: Release


class Transcript(Entity):
    """What was said in a message conversation."""

    messages: list[Entity] = []


class Recording(Entity):
    """A recording of a conversation."""

    conversation_id: str
    file_state: str = "AVAILABLE"
    media: str = "message"


class MaskingRule(Entity):
    """A masking rule."""

    name: str = "rule"
    definition: str
    substitute_character: str = "*"
    enabled: bool = True
    type: Literal["Custom", "Predefined", "Default"] = "Custom"
    date_created: Moment = iso(0)
    date_modified: Moment = iso(0)


class CustomField(_Document):
    """The value of a custom field of Digital Engagement."""

    ident: str
    value: str
    updated_at: Moment = iso(0)


class CxoneCustomer(Entity):
    """A customer of Digital Engagement."""

    custom_fields: list[CustomField] = []


class CxoneDefinition(_Document):
    """A custom field that a tenant has defined."""

    ident: str
    label: str = ""
    type: Literal["text", "email", "list"] = "text"
    is_required: bool = False
    values: list[str] = []


class CognigyProfile(_Document):
    """A contact profile; `projectId` has to name a schema."""

    id: Annotated[str, Field(alias="_id", pattern="^[a-z0-9]{24}$")]
    profile: dict[str, Any] = {}
    active: bool = True
    contact_ids: list[str] = []
    project_id: str = ""
    created_at: int = 0
    last_changed: int = 0
    created_by: str = "control"
    last_changed_by: str = "control"


class CognigySchema(Entity):
    """A project's profile schema: types by name."""

    fields: dict[str, Literal["Text", "Number", "YesNo", "Complex"]] = {}


_PLATFORM_KINDS = (
    "divisions",
    "contactSchemas",
    "gdprRequests",
    "analyticsJobs",
    "auditQueries",
)
_KINDS: Mapping[str, tuple[type[_Document], str | None]] = {
    "profiles": (Profile, "profileId"),
    "consents": (Consents, None),
    "conversations": (Conversation, "id"),
    "contacts": (Contact, "contactId"),
    "customers": (Customer, "customerId"),
    "configurations": (Configuration, "organizationId"),
    "interactions": (Interaction, "id"),
    **dict.fromkeys(_PLATFORM_KINDS, (Entity, "id")),
    "externalContacts": (ExternalContact, "id"),
    "messageTranscripts": (Transcript, "id"),
    "webConfigurations": (WebConfiguration, "id"),
    "webDeployments": (WebDeployment, "id"),
    "recordings": (Recording, "id"),
    "maskingRules": (MaskingRule, "id"),
    "platformConversations": (PlatformConversation, "id"),
    "cxoneCustomers": (CxoneCustomer, "id"),
    "cxoneDefinitions": (CxoneDefinition, "ident"),
    "cognigyProfiles": (CognigyProfile, "_id"),
    "cognigySchemas": (CognigySchema, "id"),
}
KINDS = tuple(_KINDS)
_CHANGED: Mapping[str, tuple[type[_Document], str | None]] = {
    **_KINDS,
    "participants": (Participant, "id"),
    "webConfigurations": (WebVersion, "id"),
    "webDeployments": (Entity, "id"),
}


#: How conversations of any kind are shown in events, and whose they are, if not the platform's.
_SHOWN: Mapping[str, Callable[[Document], Document]] = {
    "platformConversations": lambda held: held,
    "interactions": chat_view,
    "conversations": call_view,
}
_CONTRACTS: Mapping[str, Contract] = dict.fromkeys(
    ("contacts", "conversations", "interactions", "profiles"), "guide"
)
_COMPLETES = ("active", "completed")


def documents(organization: Organization, kind: str) -> Documents:
    """The organisation's documents of that kind. Raises Refused (404) for an unknown kind."""
    if kind not in _KINDS:
        raise Refused(404, "not.found", f"kind: must be one of {', '.join(KINDS)}")
    found: Documents = getattr(organization, to_snake(kind))
    return found


def put(
    world: World, organization: Organization, kind: str, entity_id: str, body: Document
) -> Document:
    """Add or replace a document and return it with its defaults.

    Whoever listens is told of what that changes of one that was there.

    Raises Refused: 404 for an unknown kind, 400 naming the first field that is wrong.
    """
    held = documents(organization, kind)
    document, old = _complete(world, kind, entity_id, body), held.get(entity_id)
    if kind == "conversations":
        _stamp(world, document, old or {})
        organization.put_conversation(document)
    elif kind == "configurations" and entity_id not in organization.organization_ids:
        organization.organization_ids.append(entity_id)
    elif kind == "interactions" and old and (old["state"], document["state"]) == _COMPLETES:
        document.setdefault("endTime", iso(world.timeline.advance()))
    elif kind == "externalContacts":
        document["division"] = document["division"] or organization.home_division()
    elif kind == "platformConversations":
        for participant in document["participants"]:
            participant["id"] = participant["id"] or new_id(world.rng)
    elif kind == "webConfigurations":
        _name_versions(document)
    elif kind == "webDeployments":
        document.setdefault("activeConfiguration", document["configuration"])
        document["selfUri"] = f"/api/v2/webdeployments/deployments/{entity_id}"
    elif kind == "cognigyProfiles":
        document["projectId"] = document["projectId"] or next(
            iter(organization.cognigy_schemas), ""
        )
        organization.cognigy_used[entity_id] = world.timeline.advance()
    held[entity_id] = document
    _tell(world, organization, kind, old, document)
    return document


def _tell(
    world: World, organization: Organization, kind: str, old: Document | None, new: Document
) -> None:
    if old is not None and old != new:
        events = _events(organization, kind, old, new, world.timeline.advance())
        world.notifications.emit(organization.id, events, _CONTRACTS.get(kind, "platform"))


def _events(
    organization: Organization, kind: str, old: Document, new: Document, at: float
) -> Iterable[Event]:
    if kind == "externalContacts":
        return [contact_changed(new, at)]
    if kind == "profiles":
        linked = (each["profileId"] for each in new["links"] if each not in old["links"])
        return profiles_merged(organization.profiles, new, linked, at)
    if kind == "contacts":
        return [contact_changed(contact_view(new["contactId"], new["attributes"], at), at)]
    if shown := _SHOWN.get(kind):
        return conversation_changed(organization.id, shown(old), shown(new), at)
    return ()


def check_changes(kind: str, changes: Document) -> None:
    """Raise Refused (400) for changes that a document of that kind could not take."""
    model, id_field = _CHANGED[kind]
    if id_field in changes:
        raise bad_request(f"changes.{id_field}: must stay as it is")
    given = {"startTime": iso(0), **({id_field: 24 * "0"} if id_field else {}), **changes}
    try:
        model.model_validate(given)
    except ValidationError as error:
        raise bad_request(f"changes.{complaint(error)}") from None


def _complete(world: World, kind: str, entity_id: str, body: Document) -> Document:
    model, id_field = _KINDS[kind]
    given = {**body, id_field: entity_id} if id_field else body
    try:
        document = model.model_validate(given).model_dump(by_alias=True)
    except ValidationError as error:
        raise bad_request(complaint(error)) from None
    for name in ("startTime", "createDate", "modifyDate"):
        if document.get(name) == "":
            document[name] = iso(world.timeline.advance())
    return document


def _name_versions(configuration: Document) -> None:
    path = f"/api/v2/webdeployments/configurations/{configuration['id']}/versions"
    for each in (configuration["draft"], *configuration["versions"]):
        version = each["version"]
        each["id"] = configuration["id"]
        each["selfUri"] = f"{path}/{'draft' if version == 'DRAFT' else version}"


def _stamp(world: World, conversation: Document, old: Document) -> None:
    now = world.timeline.advance()
    before = {each["id"]: each for each in old.get("participants", ())}
    for participant in conversation["participants"]:
        participant["id"] = participant["id"] or new_id(world.rng)
        participant["lastUpdated"] = participant["lastUpdated"] or iso(now)
        known = before.get(participant["id"])
        if known and known != participant and participant["lastUpdated"] <= known["lastUpdated"]:
            participant["lastUpdated"] = later(known["lastUpdated"], now)
