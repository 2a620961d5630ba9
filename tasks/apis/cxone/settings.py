"""What the vendor leaves open of Digital Engagement, as settings of a tenant."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class DigitalSettings(BaseModel):
    """A part of the table `[tenants.NAME.sync]` with `target = "cxone"`.

    The defaults lose nothing whichever way the vendor's API turns out to work.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: [?] Which fields a PUT replaces: `named` only those in its body; with `all` or `unknown` the
    #: customer is read first and all its fields are sent, so that a write is never partial.
    replaces: Literal["unknown", "all", "named"] = "unknown"
    #: [?] What a PUT does with a field that is not defined. Unless it is `refused`, every write is
    #: read back.
    unknown_ident: Literal["unknown", "refused", "ignored"] = "unknown"
    #: [?] What a PUT does with a customer that there is not: only where it is `created` are
    #: customers made.
    unknown_customer: Literal["refused", "created"] = "refused"
    #: Writes of one customer: so many at once, and so many more a minute.
    record_burst: Annotated[int, Field(ge=1)] = 250
    record_per_minute: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 17.0

    @property
    def reads_back(self) -> bool:
        """Whether a success alone does not say that all that was meant is there."""
        return self.replaces == "unknown" or self.unknown_ident != "refused"
