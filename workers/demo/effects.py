"""Effects in a form in which what was expected and what happened can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workers.sandbox.wire import digest

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
    facts = tuple(sorted(f"{name}={digest(value)}" for name, value in values.items()))
    return Effect(organization, "participant.attributes", participant, facts)


def synced(organization: str, customer: str, names: set[str]) -> Effect:
    return Effect(organization, "customer.attributes", customer, tuple(sorted(names)))


def configured(organization: str, organization_id: str) -> Effect:
    """Return a deployment, which drops no field of others."""
    return Effect(organization, "configuration.put", organization_id)


def replication(organization: str, state: str, targets: list[str]) -> Effect:
    return Effect(organization, f"replication.{state}", "", tuple(targets))


def redacted(organization: str, interaction: str, changed: int) -> Effect:
    return Effect(organization, "interaction.redacted", interaction, (f"{changed} changed",))


def observed(record: Mapping[str, Any]) -> Effect | None:
    """Return the workers' effect that a record of the sandbox tells, None where it tells of none.

    That is so for the other writer of a staged conflict, and for a write that was repeated with
    the values that stood there already.
    """
    kind, detail = record["kind"], record["detail"]
    if kind == "foreign.write" or not detail.get("changed", True):
        return None
    facts = _FACTS[kind](detail) if kind in _FACTS else ()
    subject = "" if kind.startswith("replication.") else record["subject"]
    return Effect(record["organization"], kind, subject, facts)


def _dropped(detail: Mapping[str, Any]) -> Facts:
    return tuple(f"without {name}" for name in detail["dropped"])


def _redacted(detail: Mapping[str, Any]) -> Facts:
    lost = detail["messages_dropped"]
    return (f"{detail['messages_changed']} changed", *([f"{lost} lost"] if lost else []))


_FACTS: Mapping[str, Callable[[Mapping[str, Any]], Facts]] = {
    "profiles.merged": lambda detail: (detail["policy"], *detail["sources"]),
    "participant.attributes": lambda detail: tuple(
        sorted(f"{name}={detail['sha256'][name]}" for name in detail["changed"])
    ),
    "customer.attributes": lambda detail: tuple(sorted(detail["changed"])),
    "configuration.put": _dropped,
    "replication.started": lambda detail: tuple(detail["targets"]),
    "replication.completed": lambda detail: tuple(detail["completed"]),
    "interaction.redacted": _redacted,
}
