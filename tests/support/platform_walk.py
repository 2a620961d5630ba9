"""A walk through the sandbox's Platform API: each of its operations is asked for, with success."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import requests

from tasks.apis.calls import Answer
from tasks.apis.wire import Bearer
from tasks.compact_json import compact_json
from tests.support.swagger import CheckedWire
from workers.sandbox.testing import ManualClock, SandboxHandle

CONTACTS = "/api/v2/externalcontacts"
WEB = "/api/v2/webdeployments"
CONVERSATIONS = "/api/v2/conversations"
DETAILS = "/api/v2/analytics/conversations"
GDPR = "/api/v2/gdpr"
RULES = "/api/v2/dataprivacy/maskingrules"
AUDITS = "/api/v2/audits/query"
JSON = "application/json"
NOTIFICATIONS = "/api/v2/notifications"
CHANNELS = f"{NOTIFICATIONS}/channels"
#: Of seeded conversations, which are many and alike, every fifth one is read.
EACH = 5


@dataclass(kw_only=True)
class Walker:
    """A client of the organisation `default`, whose exchanges the vendor's document judges."""

    sandbox: SandboxHandle
    clock: ManualClock
    wire: CheckedWire = field(init=False)
    token: str = field(init=False)

    def __post_init__(self) -> None:
        url = self.sandbox.platform_url
        self.wire = CheckedWire(url)
        form = {"grant_type": "client_credentials"}
        client = ("platform-client", "platform-secret")
        granted = requests.post(f"{url}/oauth/token", data=form, auth=client, timeout=10)
        self.token = granted.json()["access_token"]

    def ask(self, method: str, template: str, **request: Any) -> Any:
        """Send a request as `exchange` does and return the body of the answer, a success."""
        answer = self.exchange(method, template, **request)
        assert answer.status < 400, answer.body
        return answer.body

    def exchange(
        self,
        method: str,
        template: str,
        *,
        query: dict[str, Any] | None = None,
        body: object = None,
        content_type: str = JSON,
        **ids: str,
    ) -> Answer:
        """Send a request and return its answer."""
        path = template.format_map({name: quote(value, safe="") for name, value in ids.items()})
        return self.wire.exchange(
            method,
            self.sandbox.platform_url + path,
            connect=3,
            within=10,
            params=query or {},
            data=None if body is None else compact_json(body),
            auth=Bearer(self.token),
            headers={"Content-Type": content_type},
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)


def interval(start: datetime, end: datetime) -> str:
    return f"{start.isoformat()}/{end.isoformat()}"


def walk(walker: Walker) -> None:
    """Ask for every operation that the sandbox serves."""
    for part in PARTS:
        part(walker)


def _client(walker: Walker) -> None:
    ask = walker.ask
    ask("GET", "/api/v2/tokens/me", query={"preserveIdleTTL": "true"})
    ask("HEAD", "/api/v2/tokens/me")
    limits = "/api/v2/organizations/limits/namespaces/{namespaceName}"
    ask("GET", limits, namespaceName="platform.api")


def _schemas(walker: Walker) -> None:
    schemas = f"{CONTACTS}/contacts/schemas"
    (schema,) = walker.ask("GET", schemas)["entities"]
    walker.ask("GET", f"{schemas}/limits")
    walker.ask("GET", f"{schemas}/{{schemaId}}", schemaId=schema["id"])


def _contacts(walker: Walker) -> None:
    ask, one = walker.ask, f"{CONTACTS}/contacts/{{contactId}}"
    listed = ask("GET", f"{CONTACTS}/scan/contacts", query={"limit": "20"})["entities"]
    known = next(each["id"] for each in listed if each["type"] == "Identified")
    expand = ["identifiers", "externalDataSources", "division"]
    held = ask("GET", one, contactId=known, query={"expand": expand})
    ask("GET", f"{one}/identifiers", contactId=known)
    ask("PUT", one, contactId=known, body={**held, "title": "Dr"})
    change = {"field": "$.title", "action": "Remove"}
    ask("PATCH", one, contactId=known, body={"changes": [change]})
    wanted = {name: held["identifiers"][0][name] for name in ("type", "value")}
    ask("POST", f"{CONTACTS}/identifierlookup/contacts", body=wanted)


def _merge(walker: Walker) -> None:
    ask, held = walker.ask, walker.sandbox.ids("externalContacts", type="Ephemeral")
    free = [e for e in held if "mergedTo" not in walker.sandbox.get("externalContacts", e)][:3]
    wanted = {"contactIds": free, "valueOverride": {"firstName": "Chosen"}}
    ask("POST", f"{CONTACTS}/contacts/merge", body=wanted)
    ask("GET", f"{CONTACTS}/contacts/{{contactId}}", contactId=free[0])
    ask("GET", f"{CONTACTS}/contacts/{{contactId}}/unresolved", contactId=free[0])
    several = {"entities": [{"id": each} for each in (*free, "nobody")]}
    ask("POST", f"{CONTACTS}/bulk/contacts", body=several)
    ask("POST", f"{CONTACTS}/bulk/contacts/unresolved", body=several)


def _configurations(walker: Walker) -> None:
    ask, one = walker.ask, f"{WEB}/configurations/{{configurationId}}"
    draft = f"{one}/versions/draft"
    held = ask("GET", f"{WEB}/configurations", query={"pageSize": "1"})["entities"][0]["id"]
    ask("GET", f"{WEB}/configurations", query={"showOnlyPublished": "true"})
    ask("PUT", draft, configurationId=held, body=ask("GET", draft, configurationId=held))
    walker.clock.advance(1)
    version = ask("POST", f"{draft}/publish", configurationId=held)["version"]
    walker.clock.advance(1)
    ask("GET", f"{one}/versions", configurationId=held)
    ask("GET", f"{one}/versions/{{versionId}}", configurationId=held, versionId=version)
    made = ask("POST", f"{WEB}/configurations", body={"name": "short-lived"})["id"]
    walker.clock.advance(1)
    ask("DELETE", one, configurationId=made)


def _deployments(walker: Walker) -> None:
    ask, one = walker.ask, f"{WEB}/deployments/{{deploymentId}}"
    for expand in ([], ["Configuration"]):
        held = ask("GET", f"{WEB}/deployments", query={"expand": expand})["entities"][0]
    held = ask("GET", one, deploymentId=held["id"])
    ask("PUT", one, deploymentId=held["id"], body=held)
    own = ("name", "description", "allowAllDomains", "allowedDomains", "configuration", "flow")
    ask("POST", f"{WEB}/deployments", body={name: held[name] for name in own})
    walker.clock.advance(1)
    ask("GET", f"{one}/configurations", deploymentId=held["id"])
    ask("GET", f"{one}/identityresolution", deploymentId=held["id"])
    switched = {"resolveIdentities": True}
    ask("PUT", f"{one}/identityresolution", deploymentId=held["id"], body=switched)


def _conversations(walker: Walker) -> None:
    ask, one = walker.ask, f"{CONVERSATIONS}/{{conversationId}}"
    for conversation_id in walker.sandbox.ids("platformConversations")[::EACH]:
        held = ask("GET", one, conversationId=conversation_id)
    ask(
        "PATCH",
        f"{one}/participants/{{participantId}}/attributes",
        conversationId=conversation_id,
        participantId=held["participants"][0]["id"],
        body={"attributes": {"tier": "gold"}},
    )


def _messages(walker: Walker) -> None:
    ask, one = walker.ask, f"{CONVERSATIONS}/messages/{{conversationId}}"
    for chat in walker.sandbox.ids("messageTranscripts")[::EACH]:
        sides = ask("GET", one, conversationId=chat)["participants"]
        ids = [each["messageId"] for side in sides for each in side["messages"]]
        ask("POST", f"{one}/messages/bulk", conversationId=chat, body=ids)
    plain = {"useNormalizedMessage": "true"}
    message = f"{one}/messages/{{messageId}}"
    ask("GET", message, conversationId=chat, messageId=ids[0], query=plain)


def _analytics(walker: Walker) -> None:
    ask, chat = walker.ask, walker.sandbox.ids("messageTranscripts")[0]
    began = ask("GET", f"{DETAILS}/{{conversationId}}/details", conversationId=chat)
    start = datetime.fromisoformat(began["conversationStart"])
    asked = {"interval": interval(start, start + timedelta(days=20))}
    paging = {"pageSize": 100, "pageNumber": 1}
    ask("POST", f"{DETAILS}/details/query", body={**asked, "paging": paging})
    ask("GET", f"{DETAILS}/details/jobs/availability")
    job = ask("POST", f"{DETAILS}/details/jobs", body=asked)["jobId"]
    ask("GET", f"{DETAILS}/details/jobs/{{jobId}}", jobId=job)
    walker.clock.advance(1)
    ask("GET", f"{DETAILS}/details/jobs/{{jobId}}", jobId=job)
    ask("GET", f"{DETAILS}/details/jobs/{{jobId}}/results", jobId=job, query={"pageSize": "50"})


def _recordings(walker: Walker) -> None:
    ask, one = walker.ask, f"{CONVERSATIONS}/{{conversationId}}"
    recording_id = walker.sandbox.ids("recordings")[0]
    chat = walker.sandbox.get("recordings", recording_id)["conversationId"]
    names = {"conversationId": chat, "recordingId": recording_id}
    ask("GET", f"{one}/recordingmetadata", conversationId=chat)
    for _ in ("asked for", "transcoded"):
        ask("GET", f"{one}/recordings", conversationId=chat)
        held = ask("GET", f"{one}/recordings/{{recordingId}}", **names)
        walker.clock.advance(1)
    held["deleteDate"] = (walker.now() + timedelta(days=1)).isoformat()
    ask("PUT", f"{one}/recordings/{{recordingId}}", **names, body=held)


def _gdpr(walker: Walker) -> None:
    ask, contact_id = walker.ask, walker.sandbox.ids("externalContacts")[0]
    wanted = {"requestType": "GDPR_EXPORT", "subject": {"externalContactId": contact_id}}
    request_id = ask("POST", f"{GDPR}/requests", body=wanted)["id"]
    ask("GET", f"{GDPR}/requests")
    walker.clock.advance(2)
    ask("GET", f"{GDPR}/requests/{{requestId}}", requestId=request_id)
    email = walker.sandbox.get("externalContacts", contact_id)["personalEmail"]
    ask("GET", f"{GDPR}/subjects", query={"searchType": "EMAIL", "searchValue": email})


def _masking(walker: Walker) -> None:
    ask, one = walker.ask, f"{RULES}/{{ruleId}}"
    rule = {"name": "Orders", "definition": "[0-9]{6}", "substituteCharacter": "*"}
    rule_id = ask("POST", RULES, body={**rule, "enabled": True, "type": "Custom"})["id"]
    ask("GET", RULES)
    held = ask("GET", one, ruleId=rule_id)
    ask("PATCH", one, ruleId=rule_id, body={**held, "enabled": False})
    ask("POST", f"{RULES}/validate", body={"definition": "[0-9]{6}", "text": "order 123456"})
    ask("DELETE", one, ruleId=rule_id)


def _audits(walker: Walker) -> None:
    ask, one = walker.ask, f"{AUDITS}/{{transactionId}}"
    day = timedelta(days=1)
    span = interval(walker.now() - day, walker.now() + day)
    wanted = {"interval": span, "serviceName": "WebDeployments"}
    ask("GET", f"{AUDITS}/servicemapping")
    ask("POST", f"{AUDITS}/realtime", body=wanted, query={"expand": ["user"]})
    query = ask("POST", AUDITS, body=wanted)["id"]
    ask("GET", one, transactionId=query)
    walker.clock.advance(1)
    ask("GET", one, transactionId=query)
    ask("GET", f"{one}/results", transactionId=query, query={"pageSize": "2"})


def _notifications(walker: Walker) -> None:
    ask, one = walker.ask, f"{CHANNELS}/{{channelId}}"
    expand = ["description", "schema", "transports", "permissionDetails", "topicParameters"]
    known = ask("GET", f"{NOTIFICATIONS}/availabletopics", query={"expand": expand})["entities"]
    made = ask("POST", CHANNELS)["id"]
    ask("GET", CHANNELS, query={"includechannels": "oauthclient"})
    ask("HEAD", one, channelId=made)
    wanted = [{"id": known[0]["id"].replace("{id}", "c")}]
    for method in ("POST", "PUT"):
        lenient = {"ignoreErrors": "true"}
        ask(method, f"{one}/subscriptions", channelId=made, body=wanted, query=lenient)
    ask("GET", f"{one}/subscriptions", channelId=made)
    ask("DELETE", f"{one}/subscriptions", channelId=made)


PARTS: tuple[Callable[[Walker], None], ...] = (
    _client,
    _schemas,
    _contacts,
    _merge,
    _configurations,
    _deployments,
    _conversations,
    _messages,
    _analytics,
    _recordings,
    _gdpr,
    _masking,
    _audits,
    _notifications,
)
