"""Genesys Cloud by the `guide` contract: the integration guides' endpoints.

Paths, fields and scopes are those of the guides. A body of another shape counts as unreadable.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.apis.capabilities import GUIDE, Capabilities
from tasks.apis.genesys_guide.configurations import GuideConfigurations
from tasks.apis.genesys_guide.contacts import GuideContacts
from tasks.apis.genesys_guide.history import GuideHistory
from tasks.apis.genesys_guide.interactions import GuideInteractions
from tasks.apis.genesys_guide.participants import GuideParticipants
from tasks.apis.genesys_guide.profiles import GuideProfiles


@dataclass(frozen=True, kw_only=True)
class GenesysGuide(
    GuideProfiles,
    GuideParticipants,
    GuideContacts,
    GuideConfigurations,
    GuideInteractions,
    GuideHistory,
):
    """Implements the `Genesys`, `Configurations` and `History` seams on the `guide` contract."""

    @property
    def capabilities(self) -> Capabilities:
        return GUIDE
