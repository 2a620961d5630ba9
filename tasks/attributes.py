"""Set participant attributes on a live conversation.

An API may accept a change and show it a while later. A message follows then that looks for it, and
until it is due nothing that is read counts as settled: setting a value, another, and the first one
again ends with the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from tasks.apis.genesys import Participant, Participants
from tasks.apis.moments import parse_moment
from tasks.apis.systems import Newest, Systems
from tasks.compact_json import compact_json
from tasks.errors import Rejected, StateChanged
from tasks.hindsight import look_back
from tasks.messages import ConfirmAttributes, SetAttributes
from tasks.operations import FollowUp, Operation, Outcome
from tasks.refusals import shown_attribute

#: States in which a participant takes attributes, the preferred one first.
LIVE_STATES = ("connected", "ringing")


#: Seconds until attributes that were accepted are first looked for.
FIRST_LOOK = 1.0


def set_attributes(message: SetAttributes, systems: Systems) -> Outcome:
    """Set the message's attributes on one participant, confirm them, and say which it was.

    Values that are so already, or that something newer has overwritten, are not written. Those that
    cannot be read back are listed as unconfirmed; `confirm_attributes` follows where the API has
    only accepted them. Raises `Rejected` where no participant is live or the merged map would be
    too large for the API.
    """
    genesys, newest = systems.genesys, systems.newest
    participant = choose_participant(message, genesys)
    resource = f"participant:{participant.id}"
    outdated = newest.outdated(resource, message.attributes, message.occurred_at)
    wanted = {k: v for k, v in message.attributes.items() if k not in outdated}
    so_already = settled(participant, wanted, systems)
    changes = {k: v for k, v in wanted.items() if k not in so_already}
    if changes:
        check_size({**participant.attributes, **changes}, genesys.capabilities.attribute_bytes)
        try:
            genesys.set_attributes(message.conversation_id, participant.id, changes)
        except StateChanged:
            note_newer_values(message, genesys, participant, newest)
            raise
    newest.written(resource, wanted, message.occurred_at)
    confirmed = confirm(message, genesys, participant, changes) if changes else set()
    accepted = genesys.capabilities.accepts_attributes and changes.keys() - confirmed
    return Outcome(
        status="accepted" if accepted else "done" if changes else "noop",
        detail={
            "participant_id": participant.id,
            "confirmed": names(confirmed),
            "unconfirmed": names(changes.keys() - confirmed),
            "unchanged": names(so_already),
            "superseded": names(outdated),
        },
        follow_ups=follow(message, participant, changes, systems) if accepted else (),
    )


def names(keys: Iterable[str]) -> list[str]:
    """Return the names of attributes as they may be told, in order."""
    return sorted(map(shown_attribute, keys))


def settled(
    participant: Participant, wanted: Mapping[str, str], systems: Systems
) -> frozenset[str]:
    """Return the keys that have their wanted values, and no change of ours under way."""
    alike = {key for key, value in wanted.items() if participant.attributes.get(key) == value}
    patience = timedelta(seconds=systems.platform.attributes_deadline_seconds)
    recent = systems.now() - patience
    return frozenset(alike - systems.newest.outdated(accepted_by(participant.id), alike, recent))


def accepted_by(participant_id: str) -> str:
    """Return the resource under which it is remembered when changes were accepted."""
    return f"accepted:{participant_id}"


def follow(
    message: SetAttributes, participant: Participant, changes: Mapping[str, str], systems: Systems
) -> tuple[FollowUp, ...]:
    """Return the message that looks for what was accepted."""
    systems.newest.written(accepted_by(participant.id), changes, systems.now())
    confirmation = ConfirmAttributes(
        tenant=message.tenant,
        correlation_id=message.correlation_id,
        conversation_id=message.conversation_id,
        participant_id=participant.id,
        attributes=dict(changes),
        occurred_at=message.occurred_at or systems.started,
    )
    return (FollowUp(message=confirmation, suffix="confirm", delay=FIRST_LOOK),)


def choose_participant(message: SetAttributes, genesys: Participants) -> Participant:
    """Return the participant the message names, or the first live one of its type."""
    if message.participant_id:
        return genesys.read_participant(message.conversation_id, message.participant_id)
    found = genesys.participants(message.conversation_id)
    chosen = first_live(p for p in found if message.participant_type in p.roles)
    if chosen is None:
        raise Rejected(
            f"participant_type: no {message.participant_type} is connected or ringing"
            " in this conversation"
        )
    return chosen


def first_live(participants: Iterable[Participant]) -> Participant | None:
    """Return the first connected participant, else the first ringing one."""
    live = [p for p in participants if p.state in LIVE_STATES]
    return min(live, key=lambda p: LIVE_STATES.index(p.state), default=None)


def check_size(attributes: Mapping[str, object], most: int | None) -> None:
    """Raise `Rejected` where the merged map has more than `most` bytes."""
    size = len(compact_json(attributes))
    if most is not None and size > most:
        raise Rejected(
            f"attributes: the participant's merged map would be {size:,} bytes,"
            f" at most {most:,} are allowed"
        )


def note_newer_values(
    message: SetAttributes, genesys: Participants, before: Participant, newest: Newest
) -> None:
    """Read again what somebody else has changed; of our keys, remember what is newer there.

    Only a message that says when it occurred can be older than that: the next try leaves such keys
    alone.
    """
    after = genesys.read_participant(message.conversation_id, before.id)
    moment = parse_moment(after.last_updated)
    if message.occurred_at and moment and after.last_updated != before.last_updated:
        taken = {
            key
            for key in message.attributes
            if after.attributes.get(key) != before.attributes.get(key)
        }
        newest.written(f"participant:{after.id}", taken, moment)


def confirm(
    message: SetAttributes,
    genesys: Participants,
    participant: Participant,
    changes: Mapping[str, str],
) -> set[str]:
    """Read the participant back and return the keys that are seen to hold the values written."""
    after = look_back(lambda: genesys.read_participant(message.conversation_id, participant.id))
    seen = after.attributes if after else {}
    return {key for key, value in changes.items() if seen.get(key) == value}


OPERATION = Operation(
    message=SetAttributes,
    use_case=set_attributes,
    locks=lambda message: (f"conversation:{message.conversation_id}",),
    calls=lambda _: 3,  # find, write, verify
)
