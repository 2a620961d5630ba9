"""The table `[tenants.NAME.sync]` of each target, and the system that it makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tasks.apis.calls import Timeouts
from tasks.apis.cognigy.store import CognigyProfiles
from tasks.apis.customers import CustomerStore
from tasks.apis.cxone.access_key import AccessKey, ApplicationAccessKey
from tasks.apis.cxone.store import CxoneDigital
from tasks.apis.cxone_guide import CxoneGuide
from tasks.apis.http import Endpoint
from tasks.apis.tokens import ApiKey, ClientCredentials
from tasks.errors import SettingsError
from tests.integration.seams import http
from workers.outside.customer_stores import SYSTEM, Known, opened
from workers.outside.endpoints import sync_endpoint
from workers.outside.systems import budgets
from workers.settings import Settings
from workers.store import Store
from workers.sync_targets import CognigyTarget, CxoneTarget, SyncTarget
from workers.tenants import Tenant, load_tenants
from workers.transport.claims import WINDOW_SECONDS

TENANT = """
[tenants.acme]
api = "guide"
region = "eu_west_1"
client_id = "acme"
client_secret_env = "SECRET"
[tenants.acme.sync]
"""

GUIDE = """
target = "cxone-guide"
url = "https://cxone.example/"
client_id = "acme-cxone"
client_secret_env = "SECRET"
"""

CXONE = """
target = "cxone"
tenant_id = "t-1"
access_key_id = "key"
access_key_secret_env = "KEY_SECRET"
"""

APPLICATION = """
access_by = "application"
client_id = "app"
client_secret_env = "SECRET"
"""

COGNIGY = """
target = "cognigy"
url = "https://api-trial.cognigy.ai/"
api_key_env = "API_KEY"
"""

PROJECT = "5ce7c2d833ea1e04d7e6c432"
ENVIRONMENT = {"SECRET": "canary-1", "KEY_SECRET": "canary-2", "API_KEY": "canary-3", "EMPTY": ""}


def load(tmp_path: Path, table: str) -> Tenant:
    file = tmp_path / "tenants.toml"
    file.write_text(TENANT + table)
    return load_tenants(Settings(tenants_file=file), ENVIRONMENT)["acme"]


def target(tmp_path: Path, table: str) -> SyncTarget:
    sync = load(tmp_path, table).sync
    assert sync is not None
    return sync


def endpoint(tmp_path: Path, table: str) -> Endpoint:
    sync = target(tmp_path, table)
    return sync_endpoint("acme", SYSTEM[sync.target], sync, Timeouts())


@pytest.mark.parametrize(
    ("table", "unmapped"), [(GUIDE, "infer"), (CXONE, "ignore"), (COGNIGY, "ignore")]
)
def test_only_the_guides_target_is_sent_what_is_not_mapped(
    tmp_path: Path, table: str, unmapped: str
) -> None:
    assert target(tmp_path, table).unmapped == unmapped
    assert target(tmp_path, table + 'unmapped = "infer"').unmapped == "infer"


def test_what_the_vendors_leave_open_has_safe_defaults(tmp_path: Path) -> None:
    cxone, cognigy = target(tmp_path, CXONE), target(tmp_path, COGNIGY)
    assert isinstance(cxone, CxoneTarget)
    assert (cxone.replaces, cxone.unknown_ident, cxone.unknown_customer) == (
        "unknown",
        "unknown",
        "refused",
    )
    assert (cxone.record_burst, cxone.record_per_minute, cxone.reads_back) == (250, 17.0, True)
    assert isinstance(cognigy, CognigyTarget)
    assert (cognigy.create_missing, cognigy.null_removes) == (False, False)


@pytest.mark.parametrize("table", [GUIDE, CXONE, CXONE + APPLICATION, COGNIGY])
def test_no_secret_of_a_target_is_shown(tmp_path: Path, table: str) -> None:
    assert "canary" not in repr(load(tmp_path, table))
    assert "canary" not in repr(endpoint(tmp_path, table))


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("", ".sync: target: must be one of cxone-guide, cxone, cognigy"),
        ('target = "crm"', ".sync: target: must be one of cxone-guide, cxone, cognigy"),
        (GUIDE + "record_burst = 1", ".sync.record_burst: is not a known field"),
        (GUIDE.replace("url", "uri"), ".sync.url: is required (and 1 more)"),
        (CXONE.replace('tenant_id = "t-1"', ""), ".sync: tenant_id: is required, or url"),
        (
            CXONE.replace("tenant_id", "url").replace("t-1", "https://de.example"),
            ".sync: token_url: is required, or tenant_id",
        ),
        (CXONE.replace("access_key_id", "key_id"), ".sync.access_key_id: is required (and 1 more)"),
        (CXONE.replace("access_key_secret_env", "key_env"), ".sync.access_key_secret: is required"),
        (CXONE.replace("KEY_SECRET", "EMPTY"), ": access_key_secret_env: the variable EMPTY"),
        (
            CXONE + 'access_by = "application"',
            '.sync: client_id, client_secret: are required with access_by = "application"',
        ),
        (
            CXONE + APPLICATION.replace("application", "key"),
            '.sync: client_id, client_secret: are for access_by = "application" only',
        ),
        (CXONE + 'access_by = "magic"', ".sync.access_by: Input should be 'key' or 'application'"),
        (CXONE + 'replaces = "some"', ".sync.replaces: Input should be 'unknown', 'all'"),
        (CXONE + "record_burst = 0", ".sync.record_burst: Input should be greater than or equal"),
        (CXONE + "record_per_minute = nan", ".sync.record_per_minute: Input should be"),
        (CXONE + "record_per_minute = 0", ".sync.record_per_minute: Input should be"),
        (CXONE + "api_key_env = 'API_KEY'", ".sync.api_key: is not a known field"),
        (COGNIGY.replace("https", "ftp"), ".sync.url: URL scheme should be"),
        (COGNIGY.replace("api_key_env", "key_env"), ".sync.api_key: is required (and 1 more)"),
        (COGNIGY + "create_missing = true", ".sync: project_id: is required with"),
        (COGNIGY + 'project_id = "P"', ".sync.project_id: String should match"),
        (COGNIGY + "requests_per_five_minutes = 5", ".sync.requests_per_five_minutes: Input"),
        (COGNIGY + "requests_per_minute = 9", ".sync.requests_per_minute: is not a known field"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(tmp_path: Path, table: str, line: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(tmp_path, table)
    text = str(refusal.value)
    assert text.startswith(f"TENANTS_FILE: tenants.acme{line}")
    assert "canary" not in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("table", "limits"),
    [
        (GUIDE, {"cxone": 300}),
        (CXONE + "requests_per_minute = 60", {"cxone": 60}),
        (COGNIGY, {"cognigy": 166}),
        (COGNIGY + "requests_per_five_minutes = 6", {"cognigy": 1}),
    ],
)
def test_each_target_is_a_system_with_a_budget(
    tmp_path: Path, table: str, limits: dict[str, int]
) -> None:
    assert budgets(load(tmp_path, table)) == {"genesys": 300, **limits}


@pytest.mark.parametrize("limit", [6, 100, 999, 1_000, 5_000])
def test_no_five_minutes_of_cognigy_see_more_than_its_limit(tmp_path: Path, limit: int) -> None:
    """Windows follow one another and none is shorter than `WINDOW_SECONDS`; all may be full."""
    sync = target(tmp_path, COGNIGY + f"requests_per_five_minutes = {limit}")
    whole = int(300 // WINDOW_SECONDS)
    ends_of_others = 2
    assert (whole + ends_of_others) * sync.requests_per_minute <= limit


def test_an_access_key_by_itself_leaves_its_hosts_to_discovery(tmp_path: Path) -> None:
    found = endpoint(tmp_path, CXONE)
    assert (found.api_url, found.token_url) == ("", "")
    assert found.token_route == "/authentication/v1/token/access-key"
    assert found.grant == AccessKey(key_id="key", key_secret="canary-2")


def test_an_application_asks_the_vendors_own_host_for_tokens(tmp_path: Path) -> None:
    found = endpoint(tmp_path, CXONE + APPLICATION)
    assert found.token_url == "https://cxone.niceincontact.com/auth/token"
    assert found.token_route == "/auth/token"
    assert found.grant == ApplicationAccessKey(
        key_id="key", key_secret="canary-2", application_id="app", application_secret="canary-1"
    )


def test_urls_of_the_table_need_no_discovery(tmp_path: Path) -> None:
    urls = 'url = "https://de.example/"\ntoken_url = "https://login.example/token"\n'
    found = endpoint(tmp_path, CXONE.replace('tenant_id = "t-1"\n', urls))
    assert (found.api_url, found.token_url) == ("https://de.example", "https://login.example/token")


def test_cognigy_is_asked_with_its_key_and_no_token(tmp_path: Path) -> None:
    found = endpoint(tmp_path, COGNIGY)
    assert (found.system, found.api_url) == ("cognigy", "https://api-trial.cognigy.ai")
    assert (found.grant, found.token_url) == (ApiKey(value="canary-3"), "")


def test_the_guides_target_asks_for_its_scopes(tmp_path: Path) -> None:
    grant = endpoint(tmp_path, GUIDE).grant
    assert isinstance(grant, ClientCredentials)
    assert grant.scope == "customer.profile:write customer.profile:read"
    chosen = endpoint(tmp_path, GUIDE + 'scope = "x:y"').grant
    assert isinstance(chosen, ClientCredentials)
    assert chosen.scope == "x:y"


def test_no_token_is_used_for_another_key_form_or_tenant(tmp_path: Path) -> None:
    tables = (
        GUIDE,
        CXONE,
        CXONE.replace("t-1", "t-2"),
        CXONE + 'discovery_url = "https://other.example"',
        CXONE.replace('"key"', '"key-2"'),
        CXONE + APPLICATION,
        CXONE + 'token_url = "https://login.example/token"',
    )
    assert len({endpoint(tmp_path, table).owner for table in tables}) == len(tables)


@pytest.mark.parametrize(
    ("table", "kind", "shape"),
    [
        (GUIDE, CxoneGuide, {"partial": True, "readable": False, "creates": False}),
        (CXONE, CxoneDigital, {"partial": False, "readable": True, "creates": False}),
        (CXONE + 'replaces = "named"', CxoneDigital, {"partial": True}),
        (CXONE + 'replaces = "all"', CxoneDigital, {"partial": False}),
        (CXONE + 'unknown_customer = "created"', CxoneDigital, {"creates": True}),
        (COGNIGY, CognigyProfiles, {"partial": True, "creates": False, "removes": False}),
        (COGNIGY + "null_removes = true", CognigyProfiles, {"removes": True}),
        (
            COGNIGY + f'create_missing = true\nproject_id = "{PROJECT}"',
            CognigyProfiles,
            {"creates": True},
        ),
    ],
)
def test_a_table_makes_the_store_of_its_target(
    tmp_path: Path, table: str, kind: type[CustomerStore], shape: dict[str, Any]
) -> None:
    sync = target(tmp_path, table)
    store = Store(redis=Redis())
    made = opened(sync, http("https://x.example"), tenant="acme", store=store, known=Known())
    assert type(made) is kind
    assert made.shape.target == sync.target
    assert {name: getattr(made.shape, name) for name in shape} == shape
