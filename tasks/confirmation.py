"""See that attributes which an API has accepted have been set."""

from __future__ import annotations

from tasks.apis.systems import Systems
from tasks.attributes import names
from tasks.errors import Failed, NotFound, Postponed
from tasks.messages import ConfirmAttributes
from tasks.operations import Operation, Outcome
from tasks.waiting import Waiting


def confirm_attributes(message: ConfirmAttributes, systems: Systems) -> Outcome:
    """Report which attributes are seen, and which something newer of ours has overwritten.

    Raises `Postponed` until they are, and `Failed`, with the names of the others, where the
    tenant's deadline has passed since the first look, or the participant is there no more.
    """
    resource = f"participant:{message.participant_id}"
    outdated = systems.newest.outdated(resource, message.attributes, message.occurred_at)
    missing = unseen(message, systems) - outdated
    if missing:
        raise _not_yet(missing, systems)
    return Outcome(
        detail={
            "participant_id": message.participant_id,
            "confirmed": names(message.attributes.keys() - outdated),
            "superseded": names(outdated),
        }
    )


def unseen(message: ConfirmAttributes, systems: Systems) -> set[str]:
    """Return the keys that do not have the values that were written."""
    try:
        found = systems.genesys.read_participant(message.conversation_id, message.participant_id)
    except NotFound:
        told = ", ".join(names(message.attributes))
        raise Failed(f"attributes: the participant left before these were seen: {told}") from None
    return {key for key, value in message.attributes.items() if found.attributes.get(key) != value}


def _not_yet(missing: set[str], systems: Systems) -> Exception:
    told = ", ".join(names(missing))
    waiting = Waiting(first=1.0, longest=5.0, deadline=systems.platform.attributes_deadline_seconds)
    elapsed = (systems.now() - systems.started).total_seconds()
    if elapsed >= waiting.deadline:
        return Failed(f"attributes: accepted, and not seen within {waiting.deadline:g} s: {told}")
    return Postponed(f"attributes: not seen yet: {told}", waiting.next_wait(elapsed))


OPERATION = Operation(
    message=ConfirmAttributes,
    use_case=confirm_attributes,
    locks=lambda message: (f"conversation:{message.conversation_id}",),
)
