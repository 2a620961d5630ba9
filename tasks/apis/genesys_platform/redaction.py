"""What redaction comes to where stored messages cannot be changed: each step by a switch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from tasks.apis.genesys import Interaction, Kept
from tasks.apis.genesys_platform import archive, gdpr, recordings
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.apis.http import Http
from tasks.compact_json import Json

OFF = "off"
UNCHANGED = "unchanged: the API cannot change them"
#: What is said where none is.
NOTHING = (
    "redaction: the platform contract cannot change stored messages; switch on"
    " archive_folder, delete_recordings or gdpr_requests in the tenant's table `platform`, or"
    " let masking rules keep personal data out of future messages"
)


def keep(
    http: Http,
    settings: PlatformSettings,
    interaction: Interaction,
    messages: Sequence[Mapping[str, object]],
) -> Kept:
    """Carry out the steps that are switched on, and say of each what came of it.

    The archive comes first: nothing is removed before the redacted transcript is safe.
    """
    steps: dict[str, Json] = {"stored_messages": UNCHANGED}
    steps["archived"] = (
        archive.write(settings.archive_folder, interaction.id, messages)
        if settings.archive_folder
        else OFF
    )
    steps["recordings"] = (
        recordings.delete_later(http, interaction.id, _deletion(http, settings))
        if settings.delete_recordings
        else OFF
    )
    steps["gdpr_request"] = gdpr.ask(http, interaction.id) if settings.gdpr_requests else OFF
    return Kept(replaced=False, steps=steps)


def _deletion(http: Http, settings: PlatformSettings) -> datetime:
    now = datetime.fromtimestamp(http.clock(), UTC)
    return now + timedelta(days=settings.recording_deletion_days)
