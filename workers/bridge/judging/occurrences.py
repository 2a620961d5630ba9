"""What makes a message unique: what occurred to which subject, from whichever source it is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def digest(value: object) -> str:
    """Return 32 hex digits that stand for a JSON value, whatever the order of its fields."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Something that happened to a subject once, however often and by whomever it is told."""

    #: Stands for task, tenant and what the rule calls its subject.
    subject: str
    #: `at:<ms>`, `values:<digest>` or `ids:<digest>`; "" where the event cannot tell.
    value: str
    #: Epoch milliseconds of the event.
    at: int

    @property
    def operation_id(self) -> str:
        """The operation id of the message about it: the same after every restart."""
        return f"event-{digest([self.subject, self.value])}"

    def again(self, at: int) -> str:
        """Return the operation id where the subject has gone back, at `at`, to this old state."""
        return f"event-{digest([self.subject, self.value, at])}"


def subject(task: str, tenant: str, named: object) -> str:
    """Return what stands for the subject that a rule of `task` has named."""
    return digest([task, tenant, named])


def of_moment(milliseconds: int) -> str:
    """Return the value of what occurred at a moment."""
    return f"at:{milliseconds}"


def of_values(values: object) -> str:
    """Return the value of a state."""
    return f"values:{digest(values)}"


def of_ids(ids: Iterable[str]) -> str:
    """Return the value of a set of ids, in whichever order and how often they are named."""
    return f"ids:{digest(sorted(set(ids)))}"
