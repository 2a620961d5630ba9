"""The outside systems of one tenant, as one attempt of an operation sees them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from tasks.apis.contact_scan import ContactScan
from tasks.apis.customers import CustomerStore
from tasks.apis.deployments import Deployments
from tasks.apis.genesys import Configurations, Genesys
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.apis.history import ChatStates, History
from tasks.apis.masking_rules import MaskingRules
from tasks.apis.notifications import Notifications
from tasks.errors import Unsupported
from tasks.mapping import SyncRules
from tasks.pending import Pending, PendingInMemory
from tasks.pii.rules import RedactionRules
from tasks.release_history import HistoryInMemory, ReleaseHistory
from tasks.steps import Steps, Unshared
from tasks.waiting import Waiting

S = TypeVar("S")


class Newest(Protocol):
    """Remembers, per key of a resource, the moment of the newest value written.

    A message without a moment of its own counts with the moment of its first claim.
    """

    def outdated(
        self, resource: str, keys: Collection[str], occurred_at: datetime | None
    ) -> frozenset[str]:
        """Return those of `keys` for which something newer has been written already."""
        ...

    def written(self, resource: str, keys: Collection[str], occurred_at: datetime | None) -> None:
        """Remember that the values of `keys` are those of this moment."""
        ...


#: Locks a resource of the tenant in a `with` block; raises `Postponed` where it is in use.
Lock = Callable[[str], AbstractContextManager[None]]


def unlocked(_: str) -> AbstractContextManager[None]:
    """Lock nothing: for one operation at a time."""
    return nullcontext()


def offered(system: S | None) -> S:
    """Return a system that `Operation.check` has made sure of; raise `Unsupported` without it."""
    if system is None:
        raise Unsupported("message: this tenant's API contract does not offer it")
    return system


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Systems:
    """What a use case may be given; a system that the tenant does not have is None.

    `started` is the moment of the operation's first claim, the same in every attempt; `lock` is for
    resources that are known only once something has been read, as `Operation.locks` is for others.
    """

    genesys: Genesys
    configurations: Configurations | None = None
    deployments: Deployments | None = None
    masking: MaskingRules | None = None
    contact_scan: ContactScan | None = None
    notifications: Notifications | None = None
    past: History | None = None
    chat_states: ChatStates | None = None
    customers: CustomerStore | None
    sync: SyncRules
    newest: Newest
    pending: Pending = field(default_factory=PendingInMemory)
    identity_attributes: tuple[str, ...] = ("email", "phone", "externalId", "customerId")
    redaction: RedactionRules = field(default_factory=RedactionRules)
    replication: Waiting = field(default_factory=Waiting)
    platform: PlatformSettings = field(default_factory=PlatformSettings)
    now: Callable[[], datetime] = utc_now
    started: datetime = field(default_factory=utc_now)
    lock: Lock = unlocked
    steps: Steps = field(default_factory=Unshared)
    history: ReleaseHistory = field(default_factory=HistoryInMemory)
