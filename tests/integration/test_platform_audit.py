"""The audit of deployments by the `platform` contract, against the sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tasks.apis.genesys_platform import audits
from tasks.apis.genesys_platform.deployments import PlatformDeployments
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.errors import OutcomeUnknown
from tests.support.platform import checked, connect
from workers.sandbox.testing import ManualClock, SandboxHandle, running

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now=NOW.timestamp())


@pytest.fixture
def sandbox(clock: ManualClock) -> Iterator[SandboxHandle]:
    with running(clock=clock) as handle:
        yield handle


@pytest.fixture
def genesys(sandbox: SandboxHandle, clock: ManualClock) -> Iterator[PlatformDeployments]:
    with checked(connect(sandbox, clock)) as http:
        yield PlatformDeployments(http=http, settings=PlatformSettings())


@pytest.fixture
def changed(
    genesys: PlatformDeployments, sandbox: SandboxHandle, clock: ManualClock
) -> tuple[str, str]:
    """Two configurations whose drafts were put, three times and once, a minute after `NOW`."""
    one, other = sandbox.ids("webConfigurations")[:2]
    clock.advance(60)
    for configuration_id in (one, one, other, one):
        draft = genesys.read_draft(configuration_id)
        assert draft is not None
        genesys.put_draft(configuration_id, draft.document)
        clock.advance(1)
    return one, other


def test_an_answer_takes_its_time(
    genesys: PlatformDeployments, clock: ManualClock, changed: tuple[str, str]
) -> None:
    one, _ = changed
    query_id = genesys.ask_for_changes(NOW, NOW + 2 * MINUTE, [one])
    assert genesys.changes(query_id) is None
    clock.advance(1)
    records = genesys.changes(query_id)
    assert records is not None
    assert [(each.action, each.organization_id) for each in records] == [("Update", one)] * 3


@pytest.mark.parametrize(
    ("start", "end", "count"), [(0, 2, 4), (0, 1, 0), (5, 6, 0)], ids=["during", "before", "after"]
)
def test_the_changes_are_those_of_the_time_and_of_all_that_were_named(
    genesys: PlatformDeployments,
    clock: ManualClock,
    changed: tuple[str, str],
    start: int,
    end: int,
    count: int,
) -> None:
    query_id = genesys.ask_for_changes(NOW + start * MINUTE, NOW + end * MINUTE, changed)
    clock.advance(1)
    records = list(genesys.changes(query_id) or ())
    assert len(records) == count
    assert all(datetime.fromisoformat(each.at) >= NOW + MINUTE for each in records)


def test_all_pages_are_read(
    genesys: PlatformDeployments,
    clock: ManualClock,
    changed: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audits, "PAGE_SIZE", 2)
    query_id = genesys.ask_for_changes(NOW, NOW + 2 * MINUTE, changed)
    clock.advance(1)
    assert len(list(genesys.changes(query_id) or ())) == 4


def test_a_query_that_the_audit_gave_up_is_told(
    genesys: PlatformDeployments, sandbox: SandboxHandle, clock: ManualClock
) -> None:
    sandbox.options(audit_outcome="Failed")
    query_id = genesys.ask_for_changes(NOW, NOW + MINUTE, ["one"])
    clock.advance(1)
    with pytest.raises(OutcomeUnknown, match="the audit gave the query up"):
        genesys.changes(query_id)
