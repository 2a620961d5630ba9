"""Whether a bridge does its work: what `/health` says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantHealth:
    """A bridge's part for one tenant.

    `listens` tells whether there is anything to subscribe, `leads` whether this bridge is the one
    that does, `connected` whether all of its sockets are heard.
    """

    tenant: str
    listens: bool = False
    leads: bool = False
    connected: bool = False
    open_gaps: int = 0
    rejected_topics: int = 0

    @property
    def role(self) -> str:
        """`leading`, `standby`, or `receiving` where there is nothing to lead."""
        if not self.listens:
            return "receiving"
        return "leading" if self.leads else "standby"

    @property
    def ready(self) -> bool:
        """Whether nothing is missed: one that stands by is ready, one that leads must hear."""
        return self.connected or self.role != "leading"

    def document(self) -> dict[str, Any]:
        """Return it for a JSON document."""
        return {
            "role": self.role,
            "connected": self.connected,
            "open_gaps": self.open_gaps,
            "rejected_topics": self.rejected_topics,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A bridge at one moment; `broker` tells whether the broker can be reached."""

    broker: bool
    tenants: Sequence[TenantHealth] = ()

    @property
    def ready(self) -> bool:
        """Whether events can be taken, and every tenant is heard that this bridge leads."""
        return self.broker and all(tenant.ready for tenant in self.tenants)

    def document(self) -> dict[str, Any]:
        """Return what somebody is told who may know the tenants."""
        return {
            "ready": self.ready,
            "broker": "reachable" if self.broker else "away",
            "tenants": {each.tenant: each.document() for each in self.tenants},
        }
