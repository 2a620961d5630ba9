"""What the operations are about, in the sandbox's terms of either contract.

One tenant uses the `guide` contract, another one the `platform` contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.tenants import Table, platform_tenant, tenant
from workers.sandbox.testing import SandboxHandle

STARTED = "2026-05-01T09:00:00.000Z"


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A contract's tenant, which is an organisation of the sandbox with the same name."""

    name: str
    tenant: str

    def __str__(self) -> str:
        return self.name


class Guide(Contract):
    """The contract of the integration guides."""

    def table(self, sandbox: SandboxHandle, **changes: Any) -> Table:
        return tenant(sandbox, self.tenant, **changes)

    def put_person(self, sandbox: SandboxHandle, person: str, **attributes: str) -> None:
        """A profile, and the contact of the same id."""
        self._put(sandbox, "profiles", person, {"customAttributes": attributes})
        self._put(sandbox, "contacts", person, {"attributes": attributes})
        self._put(sandbox, "customers", person, {})

    def put_call(self, sandbox: SandboxHandle, call: str, *, live: bool = True) -> None:
        """A call with one agent in it, whose id is `agent-of-<call>`."""
        state = "connected" if live else "disconnected"
        agent = {"id": f"agent-of-{call}", "type": "user", "state": state}
        self._put(sandbox, "conversations", call, {"participants": [agent]})

    def attributes_of(self, sandbox: SandboxHandle, call: str) -> Mapping[str, str]:
        """Return the attributes of the call's agent."""
        (agent,) = sandbox.get("conversations", call, self.tenant)["participants"]
        found: dict[str, str] = agent["participantAttributes"]
        return found

    def put_chat(self, sandbox: SandboxHandle, chat: str, *texts: str) -> None:
        """A completed chat in which a guest says all of this."""
        told = [{"id": f"{chat}-{at}", "text": text} for at, text in enumerate(texts)]
        self._put(sandbox, "interactions", chat, {"messages": told, "startTime": STARTED})

    def place(self, sandbox: SandboxHandle) -> dict[str, Any]:
        """Return where `deploy_config` deploys to."""
        return {"organization_ids": sandbox.organizations()[self.tenant][:1]}

    def colour(self, sandbox: SandboxHandle) -> str:
        """Return the brand colour that guests see there."""
        (organization,) = self.place(sandbox)["organization_ids"]
        shown = sandbox.get("configurations", organization, self.tenant)["widget"]
        found: str = shown["theme"]["colors"]["primary"]
        return found

    def _put(self, sandbox: SandboxHandle, kind: str, name: str, body: dict[str, Any]) -> None:
        sandbox.put(kind, name, body, self.tenant)


class Platform(Contract):
    """The vendor's published Platform API."""

    def table(self, sandbox: SandboxHandle, **changes: Any) -> Table:
        return platform_tenant(sandbox, self.tenant, **changes)

    def put_person(self, sandbox: SandboxHandle, person: str, **attributes: str) -> None:
        """An external contact, whose attributes are fields of the vendor's."""
        self._put(sandbox, "externalContacts", person, attributes)
        self._put(sandbox, "customers", person, {})

    def put_call(self, sandbox: SandboxHandle, call: str, *, live: bool = True) -> None:
        state = "connected" if live else "disconnected"
        agent = {"id": f"agent-of-{call}", "purpose": "agent", "calls": [{"state": state}]}
        self._put(sandbox, "platformConversations", call, {"participants": [agent]})

    def attributes_of(self, sandbox: SandboxHandle, call: str) -> Mapping[str, str]:
        (agent,) = sandbox.get("platformConversations", call, self.tenant)["participants"]
        found: dict[str, str] = agent["attributes"]
        return found

    def put_chat(self, sandbox: SandboxHandle, chat: str, *texts: str) -> None:
        told = [
            {
                "id": f"{chat}-{at}",
                "timestamp": STARTED,
                "direction": "inbound",
                "normalizedMessage": {"type": "Text", "text": text},
            }
            for at, text in enumerate(texts)
        ]
        self._put(sandbox, "messageTranscripts", chat, {"messages": told})
        sent = [{"messageId": each["id"], "messageTime": STARTED} for each in told]
        webmessaging = {"id": "c", "state": "disconnected", "type": "webmessaging"}
        guest = {
            "id": f"guest-of-{chat}",
            "purpose": "customer",
            "startTime": STARTED,
            "messages": [{**webmessaging, "messages": sent}],
        }
        ended = {"startTime": STARTED, "endTime": "2026-05-01T09:30:00.000Z"}
        self._put(sandbox, "platformConversations", chat, {**ended, "participants": [guest]})

    def put_recording(self, sandbox: SandboxHandle, chat: str) -> None:
        """A recording of a chat, whose id is `recording-of-<chat>`."""
        self._put(sandbox, "recordings", f"recording-of-{chat}", {"conversationId": chat})

    def put_site(self, sandbox: SandboxHandle, site: str) -> dict[str, str]:
        """A configuration in its first version, and a deployment that has it; return their ids."""
        spoken = {"languages": ["en-us"], "defaultLanguage": "en-us"}
        document = {"name": site, **spoken, "messenger": {"enabled": True}}
        configuration = {"draft": document, "versions": [{**document, "version": "1"}]}
        self._put(sandbox, "webConfigurations", f"configuration-of-{site}", configuration)
        release = {"id": f"configuration-of-{site}", "version": "1"}
        deployment = {"name": site, "allowAllDomains": True, "configuration": release}
        self._put(sandbox, "webDeployments", f"deployment-of-{site}", deployment)
        return {
            "deployment_id": f"deployment-of-{site}",
            "configuration_id": f"configuration-of-{site}",
        }

    def place(self, sandbox: SandboxHandle) -> dict[str, Any]:
        deployment_id = sandbox.ids("webDeployments", self.tenant)[0]
        configuration = self._deployment(sandbox)["configuration"]
        return {"deployment_id": deployment_id, "configuration_id": configuration["id"]}

    def colour(self, sandbox: SandboxHandle) -> str:
        shown = self._deployment(sandbox)["activeConfiguration"]
        versions = sandbox.get("webConfigurations", shown["id"], self.tenant)["versions"]
        version = next(each for each in versions if each["version"] == shown["version"])
        found: str = version["messenger"]["styles"]["primaryColor"]
        return found

    def _deployment(self, sandbox: SandboxHandle) -> dict[str, Any]:
        return sandbox.get(
            "webDeployments", sandbox.ids("webDeployments", self.tenant)[0], self.tenant
        )

    def _put(self, sandbox: SandboxHandle, kind: str, name: str, body: dict[str, Any]) -> None:
        sandbox.put(kind, name, body, self.tenant)


GUIDE = Guide(name="guide", tenant="default")
PLATFORM = Platform(name="platform", tenant="acme")
CONTRACTS: tuple[Guide | Platform, ...] = (GUIDE, PLATFORM)
