"""Tenants: from a TOML file or the environment, refused with the table's name and the rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from redis import Redis

from tasks.apis.calls import Timeouts
from tasks.errors import SettingsError
from tasks.waiting import Waiting
from workers.letters.sealing import Seal
from workers.outside.systems import Shared, connect
from workers.outside.tokens import SharedTokens
from workers.remembering.locks import Locks
from workers.settings import Settings
from workers.store import Store
from workers.sync_targets import CxoneGuideTarget
from workers.tenants import REGIONS, Tenant, load_tenants

ACME = """
[tenants.acme]
api = "guide"
region = "eu_west_1"
client_id = "acme"
client_secret_env = "ACME_SECRET"
requests_per_minute = 180
"""

SYNC = """
[tenants.acme.sync]
target = "cxone-guide"
url = "https://cxone.example/"
client_id = "acme-cxone"
client_secret_env = "ACME_CXONE_SECRET"
unmapped = "ignore"
[tenants.acme.sync.fields]
Tier = { target = "tier", type = "string" }
[tenants.acme.redaction]
entities = ["email", "phone"]
"""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("ACME_SECRET", "canary-secret")
    monkeypatch.setenv("ACME_CXONE_SECRET", "canary-cxone")


def load(text: str, path: Path) -> dict[str, Tenant]:
    file = path / "tenants.toml"
    file.write_text(text)
    return load_tenants(Settings(tenants_file=file))


def test_a_tenant_is_read_with_its_sync_target_and_redaction(tmp_path: Path) -> None:
    acme = load(ACME + SYNC, tmp_path)["acme"]
    assert (acme.name, acme.api, acme.requests_per_minute) == ("acme", "guide", 180)
    assert acme.api_url == "https://api.mypurecloud.ie"
    assert acme.login_url == "https://login.mypurecloud.ie"
    assert acme.client_secret is not None
    assert acme.client_secret.get_secret_value() == "canary-secret"
    assert acme.sync is not None
    assert (acme.sync.url, acme.sync.unmapped) == ("https://cxone.example", "ignore")
    assert acme.sync.fields["Tier"].target == "tier"
    assert acme.redaction.entities == ("email", "phone")
    assert "canary" not in repr(acme)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "TENANTS_FILE: needs at least one table [tenants.NAME]"),
        ("[tenants", "TENANTS_FILE: cannot be read as TOML"),
        (ACME.replace('api = "guide"', ""), "TENANTS_FILE: tenants.acme.api: is required"),
        (ACME.replace("eu_west_1", "mars"), "TENANTS_FILE: tenants.acme: region must be one of"),
        (ACME.replace("ACME_SECRET", "NO_SUCH"), "TENANTS_FILE: tenants.acme: client_secret_env"),
        (ACME + "colour = 1", "TENANTS_FILE: tenants.acme.colour: is not a known field"),
        (ACME.replace("180", "0"), "TENANTS_FILE: tenants.acme.requests_per_minute: Input"),
        (ACME.replace("acme]", "'a.b']"), "TENANTS_FILE: tenants.a.b.name: String should match"),
        (ACME + SYNC.replace("https://", "ftp://"), "TENANTS_FILE: tenants.acme.sync.url: URL"),
        (ACME + SYNC.replace("email", "name"), "TENANTS_FILE: tenants.acme.redaction.entities.0:"),
        ("tenants = 1", "TENANTS_FILE: needs at least one table"),
        ("[tenants]\nacme = 1", "TENANTS_FILE: tenants.acme: "),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(text, tmp_path)
    assert str(refusal.value).startswith(line)
    assert "canary" not in str(refusal.value)


def test_without_a_file_the_environment_describes_one_tenant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "GENESYS_API": "guide",
        "GENESYS_REGION": "us_east_1",
        "GENESYS_CLIENT_ID": "client",
        "GENESYS_CLIENT_SECRET": "secret",
        "CXONE_URL": "https://cxone.example",
        "CXONE_CLIENT_ID": "cxone",
        "CXONE_CLIENT_SECRET": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    (tenant,) = load_tenants(Settings.load()).values()
    assert (tenant.name, tenant.api_url) == ("default", "https://api.mypurecloud.com")
    assert isinstance(tenant.sync, CxoneGuideTarget)
    assert tenant.sync.client_id == "cxone"


def test_the_environments_tenant_may_answer_to_the_platform_api(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("API", "REGION", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(
            f"GENESYS_{name}", {"API": "platform", "REGION": "eu_west_2"}.get(name, "x")
        )
    (tenant,) = load_tenants(Settings.load()).values()
    assert (tenant.api, tenant.platform) == ("platform", None)
    assert tenant.login_url == "https://login.euw2.pure.cloud"


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({}, "GENESYS_CLIENT_ID: is required"),
        ({"GENESYS_REGION": "mars"}, "GENESYS_REGION: region must be one of"),
        ({"GENESYS_API": "other"}, "GENESYS_API: Input should be 'guide' or 'platform'"),
        ({"CXONE_URL": "https://cxone.example"}, "CXONE_CLIENT_ID: is required"),
        ({"GENESYS_CLIENT_SECRET": None}, "GENESYS_CLIENT_SECRET: is required, or private_key"),
        (
            {"CXONE_URL": "https://cxone.example", "CXONE_CLIENT_ID": "c"},
            "CXONE_CLIENT_SECRET: is required, or private_key_file",
        ),
    ],
)
def test_a_missing_or_wrong_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str | None], line: str
) -> None:
    complete = {
        "GENESYS_API": "guide",
        "GENESYS_REGION": "us_east_1",
        "GENESYS_CLIENT_ID": "client",
        "GENESYS_CLIENT_SECRET": "secret",
    }
    for name, value in ({**complete, **variables} if variables else {}).items():
        if value is not None:
            monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refusal:
        load_tenants(Settings.load())
    assert str(refusal.value).startswith(line)


PLATFORM = ACME.replace('"guide"', '"platform"')
SWITCHES = """
[tenants.acme.platform]
archive_folder = "transcripts"
delete_recordings = true
"""


def test_a_platform_tenant_is_read_with_its_switches(tmp_path: Path) -> None:
    acme = load(PLATFORM + SWITCHES, tmp_path)["acme"]
    assert (acme.api, acme.api_url) == ("platform", "https://api.mypurecloud.ie")
    assert acme.platform is not None
    assert acme.platform.archive_folder == Path("transcripts")
    assert (acme.platform.delete_recordings, acme.platform.gdpr_requests) == (True, False)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            ACME + SWITCHES,
            'platform: is for a tenant with api = "platform" only',
        ),
        (
            PLATFORM + 'scope = "external-contacts"',
            "scope: does nothing on the platform contract; the client's roles decide",
        ),
        (
            PLATFORM + 'jwt_audience = "https://login"',
            "jwt_audience: the platform contract takes client credentials; give a client_secret",
        ),
        (PLATFORM + SWITCHES + "gdpr = true", "platform.gdpr: is not a known field"),
        (
            PLATFORM + SWITCHES + "recording_deletion_days = 0",
            "platform.recording_deletion_days: Input should be greater than or equal to 1",
        ),
    ],
)
def test_what_does_not_fit_a_tenants_contract_is_refused(
    tmp_path: Path, text: str, line: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(text, tmp_path)
    assert str(refusal.value) == f"TENANTS_FILE: tenants.acme.{line}"


def test_a_private_key_is_refused_on_the_platform_contract(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(_pem(rsa.generate_private_key(public_exponent=65_537, key_size=2_048)))
    text = PLATFORM.replace('client_secret_env = "ACME_SECRET"', f'private_key_file = "{file}"')
    with pytest.raises(SettingsError) as refusal:
        load(text, tmp_path)
    assert str(refusal.value) == (
        "TENANTS_FILE: tenants.acme.private_key_file: the platform contract takes client"
        " credentials; give a client_secret"
    )


def test_every_region_has_a_domain_of_its_own() -> None:
    assert len(set(REGIONS.values())) == len(REGIONS) == 17


def _pem(key: Any) -> bytes:
    pkcs8 = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    return bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"canary \x82\xff", "must be a PEM private key without password"),
        (b"-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n", "must be a PEM"),
        (_pem(ec.generate_private_key(ec.SECP256R1())), "must be an RSA key"),
        (None, "there is no such file"),
    ],
    ids=["binary", "garbage", "another algorithm", "missing"],
)
def test_a_key_that_cannot_sign_stops_the_start_and_is_not_shown(
    tmp_path: Path, content: bytes | None, rule: str
) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(content)
    text = ACME.replace('client_secret_env = "ACME_SECRET"', f'private_key_file = "{file}"')
    with pytest.raises(SettingsError) as refusal:
        load(text, tmp_path)
    assert str(refusal.value).startswith("TENANTS_FILE: tenants.acme.private_key_file: ")
    assert rule in str(refusal.value)
    assert "canary" not in str(refusal.value)


def test_a_token_of_another_host_grant_or_scope_is_never_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    variants = (
        ACME,
        ACME.replace("eu_west_1", "us_east_1"),
        ACME + 'scope = "audit:read"',
        ACME + 'token_path = "/login/oauth2/token"',
    )
    store = Store(redis=Redis())
    shared = Shared(
        store=store,
        tokens=SharedTokens(store=store, seal=Seal()),
        locks=Locks(store=store, lease=1),
        timeouts=Timeouts(),
        replication=Waiting(),
        remember=1,
    )
    owners = set()
    for text in variants:
        connections = connect(load(text, tmp_path).values(), shared)
        owners.add(connections["acme"].lines["genesys"].endpoint.owner)
    assert len(owners) == len(variants)
