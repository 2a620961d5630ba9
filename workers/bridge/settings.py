"""The table `[tenants.NAME.bridge]`: which events of a tenant's organisation become messages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from tasks.fields import Identifier
from workers.clients import Table

Topic = Annotated[str, Field(pattern=r"^v2\.[A-Za-z0-9_.-]{1,250}$")]
Prefix = Annotated[str, Field(pattern=r"^aws\.partner/[A-Za-z0-9_./-]{1,200}$")]

#: Nobody guesses what is this long.
SHORTEST_SECRET = 16


class BridgeSettings(Table):
    """What the bridge listens to for one tenant; each id is named, since there is no wildcard."""

    #: A file of rules; the shipped ones without it.
    rules: Path | None = None
    queues: tuple[Identifier, ...] = ()
    contacts: tuple[Identifier, ...] = ()
    conversations: tuple[Identifier, ...] = ()
    #: Further topics in full.
    topics: tuple[Topic, ...] = ()
    #: What the receiver wants in its header; without it, it takes nothing for this tenant.
    secret: SecretStr | None = None
    #: What the `source` of this tenant's EventBridge events begins with; any without it.
    sources: tuple[Prefix, ...] = ()
    #: Seconds by which a backfill reaches over both ends of the gap.
    margin_seconds: Annotated[float, Field(ge=0, le=3_600)] = 60.0
    #: Seconds after a gap's end in which the vendor's searches may not know of it all yet: it is
    #: searched once at once, and once more then.
    settle_seconds: Annotated[float, Field(ge=0, le=3_600)] = 120.0
    #: Days by which a conversation may have started before it ended in a gap.
    look_back_days: Annotated[float, Field(gt=0, le=31)] = 7.0

    #: Seconds between two tries to connect, at most, after failures in a row.
    longest_wait_seconds: Annotated[float, Field(ge=1, le=3_600)] = 60.0

    @property
    def listens(self) -> bool:
        """Whether there is anything to subscribe."""
        return bool(self.queues or self.contacts or self.conversations or self.topics)

    @field_validator("secret")
    @classmethod
    def _is_no_guess(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"must have at least {SHORTEST_SECRET} characters")
        return value

    @model_validator(mode="after")
    def _hears_something(self) -> Self:
        if not self.listens and self.secret is None:
            raise ValueError("secret: is required, or queues, contacts or topics to listen to")
        return self
