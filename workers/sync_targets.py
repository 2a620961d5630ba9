"""The table `[tenants.NAME.sync]`: where a tenant's profiles are synced to, by `target`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from tasks.apis.cognigy.settings import CognigySettings
from tasks.apis.cxone.discovery import VENDOR_URL
from tasks.apis.cxone.settings import DigitalSettings
from tasks.mapping import SyncRules
from workers.clients import Client, Table, Url

Text = Annotated[str, Field(min_length=1, max_length=256)]
Secret = Annotated[SecretStr, Field(min_length=1)]

#: Windows of ours, a little over a minute each, that any five minutes can touch.
WINDOWS_IN_FIVE_MINUTES = 6


class CxoneGuideTarget(Client, SyncRules):
    """`cxone-guide`: CXone as the integration guide describes it."""

    target: Literal["cxone-guide"]
    url: Url


class CxoneTarget(Table, SyncRules, DigitalSettings):
    """`cxone`: Digital Engagement, by an access key.

    Its URLs come from the vendor's discovery for `tenant_id`, where they are not given themselves.
    """

    target: Literal["cxone"]
    tenant_id: Text | None = None
    url: Url | None = None
    discovery_url: Url = VENDOR_URL
    token_url: Url | None = None
    #: How a token is asked for: by the key alone, or through an application with its own secret.
    access_by: Literal["key", "application"] = "key"
    access_key_id: Text
    access_key_secret: Secret
    client_id: Text | None = None
    client_secret: Secret | None = None
    #: The budget of the tenant, shared by all workers.
    requests_per_minute: Annotated[int, Field(ge=1)] = 300
    unmapped: Literal["infer", "ignore"] = "ignore"

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not (self.url or self.tenant_id):
            raise ValueError("tenant_id: is required, or url")
        if self.access_by == "application":
            if not (self.client_id and self.client_secret):
                raise ValueError(
                    'client_id, client_secret: are required with access_by = "application"'
                )
        elif self.client_id or self.client_secret:
            raise ValueError('client_id, client_secret: are for access_by = "application" only')
        elif not (self.token_url or self.tenant_id):
            raise ValueError("token_url: is required, or tenant_id")
        return self


class CognigyTarget(Table, SyncRules, CognigySettings):
    """`cognigy`: contact profiles, by an API key."""

    target: Literal["cognigy"]
    url: Url
    api_key: Secret
    #: The vendor's limit; all clients of the organisation share it.
    requests_per_five_minutes: Annotated[int, Field(ge=WINDOWS_IN_FIVE_MINUTES)] = 1_000
    unmapped: Literal["infer", "ignore"] = "ignore"

    @property
    def requests_per_minute(self) -> int:
        """A sixth of the limit: however five minutes lie, they touch no more than six windows."""
        return self.requests_per_five_minutes // WINDOWS_IN_FIVE_MINUTES


SyncTarget = CxoneGuideTarget | CxoneTarget | CognigyTarget

_TABLES: dict[str, type[SyncTarget]] = {
    "cxone-guide": CxoneGuideTarget,
    "cxone": CxoneTarget,
    "cognigy": CognigyTarget,
}


def of_its_target(table: Any) -> Any:
    """Read a table as the one of its `target`, so that a refusal names that one's rules alone."""
    if not isinstance(table, dict):
        return table
    kind = _TABLES.get(str(table.get("target")))
    if kind is None:
        raise ValueError(f"target: must be one of {', '.join(_TABLES)}")
    return kind.model_validate(table)
