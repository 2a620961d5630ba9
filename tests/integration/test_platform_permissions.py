"""The permissions that the README asks for: enough for what they are for, and each is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from tasks.errors import Forbidden
from tests.support.guide import NoLog
from tests.support.platform_verbs import NOW, VERBS, Place, at
from tests.support.swagger import ROOT
from workers.sandbox.testing import ManualClock, SandboxHandle, running

README = (ROOT / "README.md").read_text("utf-8")

#: Rows of the README's table of permissions, and the verbs that they are for.
ROWS: Mapping[str, tuple[str, ...]] = {
    "merging, with or without sync": ("read_profile", "merge"),
    "syncing": ("read_contact",),
    "setting attributes": ("participants", "read_participant", "set_attributes"),
    "deploying, `rollback`": (
        "read_draft",
        "read_published",
        "put_draft",
        "publish_draft",
        "read_deployment",
        "put_deployment",
        "live_release",
        "ask_for_changes",
        "changes",
    ),
    "redacting an interaction": ("read_interaction",),
    "– with `delete_recordings`": ("keep_redacted",),
    "– with `gdpr_requests`": ("keep_redacted",),
    "sweeping, backfilling ends": ("completed_interactions",),
    "backfilling attributes": ("participants",),
    "`masking`": (
        "masking_rules",
        "try_definition",
        "create_masking_rule",
        "change_masking_rule",
        "delete_masking_rule",
    ),
}


def permissions_of(row: str) -> list[str]:
    """Return what the README asks for, without what would do as well."""
    (cell,) = re.findall(rf"^\| {re.escape(row)} \| (.*) \|$", README, re.MULTILINE)
    found: list[str] = []
    for name in re.findall(r"`([\w:]+)`", re.sub(r"\(.*?\)", "", cell)):
        stem = found[-1].rpartition(":")[0] if name.startswith(":") else ""
        found.append(stem + name)
    return found


def needed_for(row: str) -> set[str]:
    """Return the permissions of a row; steps of a redaction need those of a redaction too."""
    steps = [each for each in ROWS if "redact" in each or "with `" in each]
    return {name for each in (steps if row in steps else [row]) for name in permissions_of(each)}


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock(now=NOW.timestamp())


@pytest.fixture(scope="module")
def running_sandbox(clock: ManualClock) -> Iterator[SandboxHandle]:
    with running(clock=clock, requests_per_minute=100_000) as handle:
        yield handle


@pytest.fixture
def sandbox(running_sandbox: SandboxHandle) -> SandboxHandle:
    running_sandbox.clear_faults()
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture
def place(sandbox: SandboxHandle, clock: ManualClock) -> Place:
    return at(sandbox, clock, NoLog())


def run_as(place: Place, row: str, permissions: set[str]) -> None:
    place.sandbox.put_client("platform-client", permissions=sorted(permissions))
    for name, verb in VERBS:
        if name in ROWS[row]:
            verb(place)()
            place.wait()


@pytest.mark.parametrize("row", ROWS)
def test_the_permissions_of_a_row_are_enough(place: Place, row: str) -> None:
    run_as(place, row, needed_for(row))


@pytest.mark.parametrize(
    ("row", "permission"), [(row, each) for row in ROWS for each in permissions_of(row)]
)
def test_each_permission_of_a_row_is_needed(place: Place, row: str, permission: str) -> None:
    with pytest.raises(Forbidden) as forbidden:
        run_as(place, row, needed_for(row) - {permission})
    assert permission in (forbidden.value.missing or "")
