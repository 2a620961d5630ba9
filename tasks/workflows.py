"""Workflows of several operations: merge, then sync the survivor."""

from __future__ import annotations

from dataclasses import replace

from tasks.apis.systems import Systems
from tasks.merge import check, merge_profiles, merge_subject, profile_locks, usual_calls
from tasks.messages import MergeAndSync, SyncProfile
from tasks.operations import FollowUp, Operation, Outcome


def merge_and_sync(message: MergeAndSync, systems: Systems) -> Outcome:
    """Merge, and let the sync of the surviving profile follow.

    A merge that is refused raises, and nothing follows it; one that is done already is followed.
    """
    merged = merge_profiles(message, systems.genesys, systems.identity_attributes, systems.lock)
    sync = SyncProfile(
        tenant=message.tenant,
        correlation_id=message.correlation_id,
        contact_id=message.contact_id or str(merged.detail["profile_id"]),
        customer_id=message.customer_id,
    )
    return replace(merged, follow_ups=(FollowUp(message=sync, suffix="sync"),))


OPERATION = Operation(
    message=MergeAndSync,
    use_case=merge_and_sync,
    locks=profile_locks,
    calls=usual_calls,
    subject=merge_subject,
    check=check,
)
