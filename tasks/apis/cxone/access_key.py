"""The two ways in which an access key gets a token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

#: Appended to the host of the tenant's area.
ACCESS_KEY_PATH = "/authentication/v1/token/access-key"
#: Appended to the vendor's own host.
APPLICATION_PATH = "/auth/token"


@dataclass(frozen=True, kw_only=True)
class AccessKey:
    """The key by itself: a JSON body for `/authentication/v1/token/access-key`."""

    as_json: ClassVar[bool] = True
    scope: ClassVar[str] = ""

    key_id: str
    key_secret: str = field(repr=False)

    @property
    def client_id(self) -> str:
        return self.key_id

    def form(self) -> Mapping[str, str]:
        return {"accessKeyId": self.key_id, "accessKeySecret": self.key_secret}

    def basic(self) -> tuple[str, str] | None:
        return None


@dataclass(frozen=True, kw_only=True)
class ApplicationAccessKey:
    """The key through a registered application: the password grant for `/auth/token`.

    The application authenticates by HTTP Basic.
    """

    as_json: ClassVar[bool] = False
    scope: ClassVar[str] = ""

    key_id: str
    key_secret: str = field(repr=False)
    application_id: str
    application_secret: str = field(repr=False)

    @property
    def client_id(self) -> str:
        return self.key_id

    def form(self) -> Mapping[str, str]:
        return {
            "grant_type": "password",
            "username": self.key_id,
            "password": self.key_secret,
        }

    def basic(self) -> tuple[str, str] | None:
        return self.application_id, self.application_secret
