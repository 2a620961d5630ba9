"""Effects in a form in which what was expected and what happened can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workers.sandbox.wire import digest

#: Kinds of records that tell of nothing that a message has brought about.
_OTHERS = frozenset(
    {"foreign.write", "channel.made", "subscriptions.set", "socket.opened", "socket.closed"}
)

#: Facts of an effect: what has to be equal beside its kind and subject.
Facts = tuple[str, ...]


@dataclass(frozen=True, order=True)
class Effect:
    """One change at an outside system: whose, which kind, of what, and how."""

    organization: str
    kind: str
    subject: str
    facts: Facts = ()

    def __str__(self) -> str:
        return f"{self.kind} of {self.subject} ({self.organization}) {' '.join(self.facts)}".strip()


def merged(organization: str, target: str, sources: list[str], policy: str) -> Effect:
    return Effect(organization, "profiles.merged", target, (policy, *sources))


def attributes_set(organization: str, participant: str, values: Mapping[str, str]) -> Effect:
    return Effect(organization, "participant.attributes", participant, _digests(values))


def synced(organization: str, customer: str, values: Mapping[str, Any]) -> Effect:
    """Return a sync of a contact's `values`, whose texts no type that is inferred may change."""
    facts = tuple(sorted(f"{name}={digest(_typed(value))}" for name, value in values.items()))
    return Effect(organization, "customer.attributes", customer, facts)


def configured(organization: str, organization_id: str, document: Mapping[str, Any]) -> Effect:
    """Return a deployment that leaves `document`, and so drops no field of others."""
    return Effect(organization, "configuration.put", organization_id, _digests(document))


def replication_started(
    organization: str, source: str, targets: list[str], *, overwrite: bool
) -> Effect:
    return Effect(
        organization, "replication.started", "", (source, f"overwrite={overwrite}", *targets)
    )


def replication_completed(organization: str, targets: list[str]) -> Effect:
    return Effect(organization, "replication.completed", "", tuple(targets))


def redacted(
    organization: str, interaction: str, changed: int, messages: Sequence[Mapping[str, Any]]
) -> Effect:
    """Return a redaction that changes so many messages and leaves `messages`."""
    facts = (f"{changed} changed", f"messages={digest(messages)}")
    return Effect(organization, "interaction.redacted", interaction, facts)


def observed(record: Mapping[str, Any]) -> Effect | None:
    """Return the workers' effect that a record of the sandbox tells, None where it tells of none.

    That is so for the other writer of a staged conflict, for a write that was repeated with the
    values that stood there already, and for the channels that the bridge listens by.
    """
    kind, detail = record["kind"], record["detail"]
    if kind in _OTHERS or not detail.get("changed", True):
        return None
    facts = _FACTS[kind](detail) if kind in _FACTS else ()
    subject = "" if kind.startswith("replication.") else record["subject"]
    return Effect(record["organization"], kind, subject, facts)


def _typed(value: Any) -> Any:
    """Return a boolean for its text: all other texts have the digest of their typed value."""
    truth = {"true": True, "false": False}
    return truth.get(value.lower(), value) if isinstance(value, str) else value


def _digests(document: Mapping[str, Any]) -> Facts:
    return tuple(sorted(f"{name}={digest(value)}" for name, value in document.items()))


def _changed(detail: Mapping[str, Any]) -> Facts:
    return tuple(sorted(f"{name}={detail['sha256'][name]}" for name in detail["changed"]))


def _configured(detail: Mapping[str, Any]) -> Facts:
    held = sorted(f"{name}={value}" for name, value in detail["sha256"].items())
    return (*held, *(f"without {path}" for path in detail["dropped"]))


def _replication_started(detail: Mapping[str, Any]) -> Facts:
    return (detail["source"], f"overwrite={detail['overwrite_existing']}", *detail["targets"])


def _redacted(detail: Mapping[str, Any]) -> Facts:
    lost = detail["messages_dropped"]
    changed = (f"{detail['messages_changed']} changed", f"messages={detail['sha256']}")
    return (*changed, *([f"{lost} lost"] if lost else []))


_FACTS: Mapping[str, Callable[[Mapping[str, Any]], Facts]] = {
    "profiles.merged": lambda detail: (detail["policy"], *detail["sources"]),
    "participant.attributes": _changed,
    "customer.attributes": _changed,
    "configuration.put": _configured,
    "replication.started": _replication_started,
    "replication.completed": lambda detail: tuple(detail["completed"]),
    "interaction.redacted": _redacted,
}
