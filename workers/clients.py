"""Clients: as whom an outside system knows a tenant, and where it is reached."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import (
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    model_validator,
)

Url = Annotated[
    str,
    BeforeValidator(lambda value: str(TypeAdapter(AnyHttpUrl).validate_python(value)).rstrip("/")),
]


class Table(BaseModel):
    """A table of `TENANTS_FILE`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Client(Table):
    """An OAuth client, by secret (client credentials) or private key (JWT bearer)."""

    client_id: Annotated[str, Field(min_length=1, max_length=256)]
    client_secret: SecretStr | None = None
    #: A PEM file; with it the JWT-bearer grant is used.
    private_key_file: Path | None = None
    jwt_audience: str | None = None
    scope: str = ""
    token_path: Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.-]*$")] = "/oauth/token"  # noqa: S105  # a path
    #: The budget of the client, shared by all workers.
    requests_per_minute: Annotated[int, Field(ge=1)] = 300

    @model_validator(mode="after")
    def _can_authenticate(self) -> Self:
        if not (self.client_secret or self.private_key_file):
            raise ValueError("client_secret: is required, or private_key_file")
        if self.private_key_file:
            _check_key(self.private_key_file)
        return self


def _check_key(path: Path) -> None:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError:
        raise ValueError("private_key_file: there is no such file") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("private_key_file: must be a PEM private key without password") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("private_key_file: must be an RSA key")
