"""The `platform` contract as a whole."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tasks.apis.capabilities import PLATFORM, Capabilities
from tasks.apis.genesys_platform.contact_scan import PlatformContactScan
from tasks.apis.genesys_platform.contacts import PlatformContacts
from tasks.apis.genesys_platform.deployments import PlatformDeployments
from tasks.apis.genesys_platform.history import PlatformHistory
from tasks.apis.genesys_platform.interactions import PlatformInteractions
from tasks.apis.genesys_platform.masking import PlatformMasking
from tasks.apis.genesys_platform.participants import PlatformParticipants
from tasks.apis.genesys_platform.profiles import PlatformProfiles
from tasks.apis.genesys_platform.redaction import NOTHING


@dataclass(frozen=True, kw_only=True)
class GenesysPlatform(
    PlatformProfiles,
    PlatformParticipants,
    PlatformContacts,
    PlatformContactScan,
    PlatformDeployments,
    PlatformInteractions,
    PlatformHistory,
    PlatformMasking,
):
    """Implements the `Genesys` seam, and those that this contract alone has, on this contract."""

    @property
    def capabilities(self) -> Capabilities:
        """What the contract can do, within the limits that the tenant knows of."""
        return replace(
            PLATFORM,
            attribute_bytes=self.settings.attribute_bytes,
            redaction_off="" if self.settings.keeps_redactions else NOTHING,
        )
