"""The vendor's audit log: who changed what of the web deployments, and when."""

from __future__ import annotations

from collections.abc import Sequence

from workers.sandbox.call import Call
from workers.sandbox.platform.users import user
from workers.sandbox.wire import iso
from workers.sandbox.world import Document, new_id

SERVICE = "WebDeployments"
#: Types of entities: how a real organisation spells them is not published.
CONFIGURATION, DEPLOYMENT = "Configuration", "Deployment"
ACTIONS = {
    CONFIGURATION: ("Create", "Update", "Delete", "Publish"),
    DEPLOYMENT: ("Create", "Update"),
}


def record(
    call: Call,
    action: str,
    entity_type: str,
    entity: Document,
    *,
    client: str = "",
    changes: Sequence[Document] = (),
) -> None:
    """Write down what the call, or another `client` at its moment, has done to an entity."""
    client = client or call.client
    call.organization.platform_audit.append(
        {
            "id": new_id(call.world.rng),
            "userHomeOrgId": call.organization.id,
            "user": user(client),
            "client": {"id": client},
            "remoteIp": ["127.0.0.1"],
            "serviceName": SERVICE,
            "level": "USER",
            "eventDate": iso(call.now),
            "message": {"message": f"{entity_type} {action}"},
            "action": action,
            "entity": {name: entity[name] for name in ("id", "name", "selfUri")},
            "entityType": entity_type,
            "status": "SUCCESS",
            "application": "Public API",
            "propertyChanges": list(changes),
        }
    )


def changed(name: str, old: str, new: str) -> Document:
    """That a property has another value."""
    return {"property": name, "oldValues": [old], "newValues": [new]}
