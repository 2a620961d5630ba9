"""Tenants: one customer organisation each, with its clients and where they are reached.

They come from `TENANTS_FILE` (one TOML table per tenant) or, without one, a single tenant
`default` comes from the environment.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.errors import SettingsError
from tasks.messages import DEFAULT_TENANT
from tasks.pii.rules import RedactionRules
from tasks.refusals import explain
from workers.bridge.settings import BridgeSettings
from workers.clients import Client, Table, Url
from workers.settings import ENV_FILE, Settings
from workers.sync_targets import SyncTarget, of_its_target

#: Region → domain of the API and login hosts (vendor's SDK for Python 257.1.0).
REGIONS = {
    "us_east_1": "mypurecloud.com",
    "us_east_2": "use2.us-gov-pure.cloud",
    "us_west_2": "usw2.pure.cloud",
    "ca_central_1": "cac1.pure.cloud",
    "sa_east_1": "sae1.pure.cloud",
    "mx_central_1": "mxc1.pure.cloud",
    "eu_west_1": "mypurecloud.ie",
    "eu_west_2": "euw2.pure.cloud",
    "eu_central_1": "mypurecloud.de",
    "eu_central_2": "euc2.pure.cloud",
    "me_central_1": "mec1.pure.cloud",
    "ap_south_1": "aps1.pure.cloud",
    "ap_northeast_1": "mypurecloud.jp",
    "ap_northeast_2": "apne2.pure.cloud",
    "ap_northeast_3": "apne3.pure.cloud",
    "ap_southeast_1": "apse1.pure.cloud",
    "ap_southeast_2": "mypurecloud.com.au",
}

#: What names a variable in a table → the field that gets its value.
NAMES_OF_SECRETS = {
    "client_secret_env": "client_secret",
    "key_env": "key",
    "access_key_secret_env": "access_key_secret",
    "api_key_env": "api_key",
    "secret_env": "secret",
}

#: Tables in a tenant's that may name variables too.
WITH_SECRETS = ("sync", "redaction", "bridge")

TenantName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]


class Hooks(Table):
    """URLs that are told of what was done, a CRM for instance. Their failures harm nothing."""

    merged: tuple[Url, ...] = ()


class Tenant(Client):
    """One customer organisation: its Genesys Cloud client and its sync target."""

    name: TenantName
    #: The API contract that its organisation answers to.
    api: Literal["guide", "platform"]
    api_url: Url
    login_url: Url
    identity_attributes: tuple[str, ...] = ("email", "phone", "externalId", "customerId")
    sync: Annotated[SyncTarget, BeforeValidator(of_its_target)] | None = None
    hooks: Hooks = Hooks()
    redaction: RedactionRules = RedactionRules()
    platform: PlatformSettings | None = None
    bridge: BridgeSettings | None = None

    @model_validator(mode="after")
    def _fits_its_contract(self) -> Self:
        if self.api == "platform":
            _check_platform_client(self)
        elif self.platform:
            raise ValueError('platform: is for a tenant with api = "platform" only')
        return self


def _check_platform_client(client: Client) -> None:
    """Raise `ValueError` for ways of authentication that the platform contract does not have."""
    if client.private_key_file or client.jwt_audience:
        name = "private_key_file" if client.private_key_file else "jwt_audience"
        raise ValueError(
            f"{name}: the platform contract takes client credentials; give a client_secret"
        )
    if client.scope:
        raise ValueError("scope: does nothing on the platform contract; the client's roles decide")


def load_tenants(
    settings: Settings, environment: Mapping[str, str | None] | None = None
) -> dict[str, Tenant]:
    """Return the tenants by name; secrets are looked up in `environment`, by default the real one.

    Raises `SettingsError` naming the file, table or variable and the rule.
    """
    if settings.tenants_file is None:
        return _from_environment(settings)
    if environment is None:
        environment = {**dotenv_values(ENV_FILE), **os.environ}
    tables = _read(settings.tenants_file)
    return {name: _tenant(name, table, environment) for name, table in tables.items()}


def tenant_names(settings: Settings) -> list[str]:
    """Return the tenants' names alone: no secret is needed for that.

    Raises `SettingsError` where the file cannot be read.
    """
    return [DEFAULT_TENANT] if settings.tenants_file is None else list(_read(settings.tenants_file))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"TENANTS_FILE: cannot be read as TOML ({error})") from None
    tables = document.get("tenants")
    if not isinstance(tables, dict) or not tables:
        raise SettingsError("TENANTS_FILE: needs at least one table [tenants.NAME]")
    return tables


def _tenant(name: str, table: Any, environment: Mapping[str, str | None]) -> Tenant:
    where = f"TENANTS_FILE: tenants.{name}"
    try:
        filled = _with_hosts(_with_secrets(table, environment))
        if "redaction" in filled:
            filled["redaction"] = {**filled["redaction"], "tenant": name}
        return Tenant.model_validate({**filled, "name": name})
    except ValidationError as error:
        raise SettingsError(f"{where}.{explain(error, str)}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise SettingsError(f"{where}: {error}") from None


def _with_secrets(
    table: Mapping[str, Any], environment: Mapping[str, str | None]
) -> dict[str, Any]:
    """Replace, in the table and its sub-tables, the names of variables by the secrets they hold."""
    filled = {
        key: _with_secrets(value, environment) if key in WITH_SECRETS else value
        for key, value in table.items()
        if key not in NAMES_OF_SECRETS
    }
    for key, secret in NAMES_OF_SECRETS.items():
        if variable := table.get(key):
            if not environment.get(variable):
                raise ValueError(f"{key}: the variable {variable} is not set")
            filled[secret] = environment[variable]
    return filled


def _with_hosts(table: dict[str, Any]) -> dict[str, Any]:
    """Derive the hosts from the region, where they are not given themselves."""
    region = table.pop("region", None)
    if region is None:
        return table
    if region not in REGIONS:
        raise ValueError(f"region must be one of {', '.join(REGIONS)}")
    domain = REGIONS[region]
    return {"api_url": f"https://api.{domain}", "login_url": f"https://login.{domain}", **table}


def _from_environment(settings: Settings) -> dict[str, Tenant]:
    """Return the one tenant that the `GENESYS_*` and `CXONE_*` variables describe."""
    table = _prefixed(settings, "genesys")
    if cxone := _prefixed(settings, "cxone"):
        table["sync"] = {**cxone, "target": "cxone-guide"}
    if bridge := _prefixed(settings, "bridge"):
        table["bridge"] = bridge
    try:
        tenant = Tenant.model_validate({**_with_hosts(table), "name": DEFAULT_TENANT})
    except ValidationError as error:
        path, _, rule = re.sub("^(sync|bridge): ", r"\1.", explain(error, str)).partition(": ")
        raise SettingsError(f"{_variable(path)}: {rule} (or set TENANTS_FILE)") from None
    except ValueError as error:
        raise SettingsError(f"GENESYS_REGION: {error}") from None
    return {DEFAULT_TENANT: tenant}


def _variable(path: str) -> str:
    """Return the variable that a field of the tenant comes from."""
    table, _, name = path.partition(".")
    prefix = {"sync": "cxone", "bridge": "bridge"}.get(table)
    return (f"{prefix}_{name}" if prefix and name else f"genesys_{path}").upper()


def _prefixed(settings: Settings, prefix: str) -> dict[str, Any]:
    values = settings.model_dump(exclude_none=True)
    start = f"{prefix}_"
    return {key.removeprefix(start): v for key, v in values.items() if key.startswith(start)}
