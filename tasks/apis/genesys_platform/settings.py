"""What a tenant on the `platform` contract switches on, and how long it waits for that API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tasks.waiting import Seconds


class PlatformSettings(BaseModel):
    """The table `[tenants.NAME.platform]`.

    What removes something for good is off until it is switched on. Deadlines are seconds since the
    first attempt of the operation that waits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Where redacted transcripts are kept; none are without it.
    archive_folder: Path | None = None
    #: Give the recordings of a redacted interaction a date of deletion. Irreversible.
    delete_recordings: bool = False
    #: Days from the redaction to that date.
    recording_deletion_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    #: Ask for the deletion of what is stored of the guest (GDPR). Irreversible.
    gdpr_requests: bool = False
    #: The most bytes of a participant's attributes; the vendor publishes no limit.
    attribute_bytes: Annotated[int, Field(ge=1)] | None = None
    #: How long attributes that were accepted may take to be seen.
    attributes_deadline_seconds: Seconds = 30.0
    #: How long a draft may take to become active.
    draft_deadline_seconds: Seconds = 30.0
    #: How long a deployment may take to become active.
    deployment_deadline_seconds: Seconds = 60.0

    @property
    def keeps_redactions(self) -> bool:
        """Whether anything is done with what is redacted, since stored messages stay."""
        return bool(self.archive_folder or self.delete_recordings or self.gdpr_requests)
