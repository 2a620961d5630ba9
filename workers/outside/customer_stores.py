"""The customer store of each target of a profile sync."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.apis.cognigy.store import CognigyProfiles
from tasks.apis.customers import CustomerStore, Definition, Target
from tasks.apis.cxone import definitions, discovery
from tasks.apis.cxone.store import CxoneDigital
from tasks.apis.cxone_guide import CxoneGuide
from tasks.apis.http import Http
from tasks.apis.remembered import Remembered
from workers.limits.record_buckets import RecordBuckets
from workers.remembering.profile_successors import SuccessorsInRedis
from workers.store import Store
from workers.sync_targets import CognigyTarget, CxoneGuideTarget, CxoneTarget, SyncTarget

#: The system that a target is: its budget, its pause, its line in the status.
SYSTEM: Mapping[Target, str] = {"cxone-guide": "cxone", "cxone": "cxone", "cognigy": "cognigy"}

#: The calls that an attempt makes to it at most, so that none has to overdraw its budget: for
#: definitions, a read, the write and a read after it at `cxone`, two reads and two writes at
#: `cognigy`.
CALLS: Mapping[Target, int] = {"cxone-guide": 1, "cxone": 4, "cognigy": 4}


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a process remembers of the targets of all its tenants."""

    hosts: Remembered[discovery.Hosts] = field(
        default_factory=lambda: Remembered(life=discovery.LIFE)
    )
    definitions: Remembered[Mapping[str, Definition]] = field(
        default_factory=lambda: Remembered(life=definitions.LIFE)
    )


def opened(
    sync: SyncTarget, http: Http, *, tenant: str, store: Store, known: Known
) -> CustomerStore:
    """Return the store of a tenant's target, reached by `http`, for one attempt."""
    match sync:
        case CxoneGuideTarget():
            return CxoneGuide(http=http)
        case CxoneTarget():
            return _digital(sync, http, tenant, store, known)
        case CognigyTarget():
            successors = SuccessorsInRedis(store=store, tenant=tenant)
            return CognigyProfiles(http=http, settings=sync, successors=successors)


def _digital(
    sync: CxoneTarget, http: Http, tenant: str, store: Store, known: Known
) -> CxoneDigital:
    found = None
    if sync.tenant_id:
        found = discovery.Discovery(
            tenant_id=sync.tenant_id, url=sync.discovery_url, remembered=known.hosts
        )
    rate = RecordBuckets(
        store=store,
        tenant=tenant,
        system=SYSTEM[sync.target],
        burst=sync.record_burst,
        per_minute=sync.record_per_minute,
    )
    return CxoneDigital(
        http=http, settings=sync, discovery=found, defined=known.definitions, rate=rate
    )
