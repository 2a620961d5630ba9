"""Values of outside systems that messages set to `true` and to `false`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import uuid4

from tests.support.cluster import Cluster
from workers.app import WorkersApp

NAME = "vip"


def moment(number: int) -> str:
    """Return when something has occurred, later for a higher number."""
    return (datetime(2026, 3, 1, 12, 0, tzinfo=UTC) + timedelta(seconds=number)).isoformat()


def send(app: WorkersApp, task: str, queue: str, operation: str, **arguments: Any) -> str:
    """Send a message as any stock client would: its Celery id is the operation's."""
    client = app.services.producer.app
    client.send_task(task, kwargs=arguments, queue=queue, task_id=operation)
    return operation


@dataclass(frozen=True, kw_only=True)
class Switch(ABC):
    """One value, which nobody has set at first."""

    cluster: Cluster
    app: WorkersApp
    id: str

    @classmethod
    def new(cls, cluster: Cluster, app: WorkersApp) -> Self:
        made = cls(cluster=cluster, app=app, id=str(uuid4()))
        made.prepare()
        return made

    @abstractmethod
    def prepare(self) -> None:
        """Put what holds the value into the sandbox."""

    @abstractmethod
    def set(self, value: str, operation: str, **moments: str) -> str:
        """Send a message that sets it, and return the operation's id."""

    @abstractmethod
    def read(self) -> str | None:
        """Return the value as the outside system has it."""

    @abstractmethod
    def write(self) -> dict[str, str]:
        """Return the method and the path of the call that sets it."""


class ParticipantSwitch(Switch):
    """An attribute of a participant."""

    def prepare(self) -> None:
        participant = {"id": self.id, "participantAttributes": {}}
        self.cluster.sandbox.put("conversations", self.id, {"participants": [participant]})

    def set(self, value: str, operation: str, **moments: str) -> str:
        about = {"conversation_id": self.id, "attributes": {NAME: value}, **moments}
        return send(self.app, "set_attributes", "attributes", operation, **about)

    def read(self) -> str | None:
        (participant,) = self.cluster.sandbox.get("conversations", self.id)["participants"]
        value: str | None = participant["participantAttributes"].get(NAME)
        return value

    def write(self) -> dict[str, str]:
        return {"method": "PATCH", "path": f"/api/v2/conversations/voice/participants/{self.id}"}


class CustomerSwitch(Switch):
    """An attribute of a customer, which is a boolean there."""

    def prepare(self) -> None:
        self.cluster.sandbox.put("customers", self.id, {"customerId": self.id})

    def set(self, value: str, operation: str, **moments: str) -> str:
        about = {"contact_id": self.id, "attributes": {NAME: value}, **moments}
        return send(self.app, "sync_profile", "sync", operation, **about)

    def read(self) -> str | None:
        held = self.cluster.sandbox.get("customers", self.id)["attributes"].get(NAME)
        return str(held["value"]).lower() if held else None

    def write(self) -> dict[str, str]:
        return {"method": "PUT", "path": f"/api/v2/customers/{self.id}/attributes"}


SWITCHES: tuple[type[Switch], ...] = (ParticipantSwitch, CustomerSwitch)
