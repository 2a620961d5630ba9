"""Remove personal data from the messages of a completed interaction.

The API replaces the whole array of messages and knows no version of it, so only what has ended is
redacted, and what is written is what was read right before. A message that arrives between that
read and the write is lost: the API leaves no way to exclude it.
"""

from __future__ import annotations

from collections.abc import Iterable

from tasks import pii
from tasks.apis.capabilities import Capabilities
from tasks.apis.genesys import Interaction, Interactions, Kept
from tasks.errors import Postponed, Rejected, Unconfirmed, Unsupported
from tasks.hindsight import look_back
from tasks.messages import Message, RedactInteraction
from tasks.operations import Operation, Outcome
from tasks.pii.places import places
from tasks.pii.rules import RedactionRules

#: A longer transcript is refused: it is read and written as one document, held in memory.
MAX_MESSAGES = 50_000


def redact_interaction(
    message: RedactInteraction, genesys: Interactions, rules: RedactionRules
) -> Outcome:
    """Redact the interaction's messages, and count what was found per entity.

    `verified` is false where what was written could not be read back, and left out where the API
    cannot change stored messages: the outcome says then what was done instead. Raises `Postponed`
    while the interaction is live, `Rejected` for one of more than 50,000 messages or an entity that
    the tenant does not know, and `Unconfirmed` where reading back shows other texts than were
    written.
    """
    check_entities(message, rules)
    interaction, redacted = read_redacted(message, genesys, rules)
    if redacted.changed:
        interaction, redacted = read_redacted(message, genesys, rules)
    kept = genesys.keep_redacted(interaction, redacted.messages) if redacted.changed else None
    verified = kept is None or verify(message, genesys, redacted, kept)
    return Outcome(
        status="done" if redacted.changed else "noop",
        findings=redacted.findings,
        detail={
            "interaction_id": message.interaction_id,
            "messages": len(redacted.messages),
            "messages_changed": redacted.changed,
            "findings": redacted.findings,
            **({} if verified is None else {"verified": verified}),
            **(kept.steps if kept else {}),
        },
    )


def read_redacted(
    message: RedactInteraction, genesys: Interactions, rules: RedactionRules
) -> tuple[Interaction, pii.Redacted]:
    """Read the interaction, which has to be completed; return it, and its messages redacted."""
    interaction = genesys.read_interaction(message.interaction_id)
    check_completed(interaction, rules)
    check_length(interaction)
    redacted = pii.redact_transcript(interaction.messages, message.entities, search=rules.search)
    return interaction, redacted


def check_entities(message: RedactInteraction, rules: RedactionRules) -> None:
    """Raise `Rejected` where an entity is asked for that the tenant does not know."""
    if not rules.known.issuperset(message.entities or ()):
        raise Rejected(f"entities: must be of {', '.join(sorted(rules.known))} for this tenant")


def check_completed(interaction: Interaction, rules: RedactionRules) -> None:
    """Raise `Postponed` while messages may still arrive."""
    if interaction.state.lower() != "completed":
        raise Postponed(
            "the interaction is live",
            wait=rules.live_wait_seconds,
            deadline=rules.live_deadline_seconds,
        )


def check_length(interaction: Interaction) -> None:
    """Raise `Rejected` where there are more messages than are held in memory."""
    if len(interaction.messages) > MAX_MESSAGES:
        raise Rejected(
            f"interaction_id: the interaction has {len(interaction.messages):,} messages,"
            f" at most {MAX_MESSAGES:,} are redacted"
        )


def verify(
    message: RedactInteraction, genesys: Interactions, redacted: pii.Redacted, kept: Kept
) -> bool | None:
    """Return whether the interaction could be read back, None where it was not changed."""
    if not kept.replaced:
        return None
    after = look_back(lambda: genesys.read_interaction(message.interaction_id))
    if after:
        confirm(redacted, after)
    return after is not None


def confirm(redacted: pii.Redacted, after: Interaction) -> None:
    """Raise `Unconfirmed` unless the interaction has the texts that were written."""
    written = texts(redacted.messages)
    if texts(after.messages[: len(redacted.messages)]) != written:
        raise Unconfirmed("messages")


def texts(messages: Iterable[object]) -> list[list[str]]:
    """Return what each message holds of text, in the order of its places."""
    return [[place.text for place in places(message)] for message in messages]


def check(_: Message, can: Capabilities) -> None:
    """Raise `Unsupported` where nothing would come of a redaction."""
    if can.redaction_off:
        raise Unsupported(can.redaction_off)


OPERATION = Operation(
    message=RedactInteraction,
    use_case=lambda message, systems: redact_interaction(
        message, systems.genesys, systems.redaction
    ),
    locks=lambda message: (f"interaction:{message.interaction_id}",),
    calls=lambda _: 4,  # read, read again, write, verify
    check=check,
)
