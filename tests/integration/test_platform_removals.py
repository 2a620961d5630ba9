"""Recordings and requests for deletion by the `platform` contract, against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.apis.genesys import Interaction
from tasks.apis.genesys_platform.interactions import PlatformInteractions
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.apis.http import Http
from tasks.compact_json import Json
from tasks.errors import BadRequest, Failed, Forbidden, Postponed
from tasks.messages import RedactInteraction
from tasks.pii.rules import RedactionRules
from tasks.redact import redact_interaction
from tests.support.platform import checked, connect
from workers.sandbox.testing import ManualClock, SandboxHandle, running

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)
RECORDINGS = PlatformSettings(delete_recordings=True, recording_deletion_days=30)
GDPR = PlatformSettings(gdpr_requests=True)
OURS = "2026-12-21T00:00:00.000Z"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now=NOW.timestamp())


@pytest.fixture
def sandbox(clock: ManualClock) -> Iterator[SandboxHandle]:
    with running(clock=clock) as handle:
        yield handle


@pytest.fixture
def http(sandbox: SandboxHandle, clock: ManualClock) -> Iterator[Http]:
    with checked(connect(sandbox, clock)) as http:
        yield http


@pytest.fixture
def chat(sandbox: SandboxHandle) -> str:
    """A seeded conversation without any recording."""
    recorded = {
        sandbox.get("recordings", each)["conversationId"] for each in sandbox.ids("recordings")
    }
    return next(each for each in sandbox.ids("messageTranscripts") if each not in recorded)


def put_recording(sandbox: SandboxHandle, chat: str, recording_id: str, **fields: Any) -> None:
    document = {"conversationId": chat, "media": "message", "fileState": "AVAILABLE", **fields}
    sandbox.put("recordings", recording_id, document)


def step(http: Http, settings: PlatformSettings, chat: str, name: str) -> Json:
    """Carry out what is switched on, and return what came of one step."""
    genesys = PlatformInteractions(http=http, settings=settings)
    kept = genesys.keep_redacted(Interaction(id=chat, state="completed", messages=()), ())
    return kept.steps[name]


def deletion_dates(sandbox: SandboxHandle) -> dict[str, str]:
    effects = sandbox.effects(kind="recording.deletion_set")
    return {each["subject"]: each["detail"]["delete_date"] for each in effects}


def test_recordings_get_a_date_of_deletion_and_keep_that_of_their_archive(
    http: Http, sandbox: SandboxHandle, chat: str
) -> None:
    archive = {"archiveDate": "2026-12-01T00:00:00.000Z", "archiveMedium": "CLOUDARCHIVE"}
    put_recording(sandbox, chat, "plain")
    put_recording(sandbox, chat, "archived", **archive)
    put_recording(sandbox, "another conversation", "untouched")
    assert step(http, RECORDINGS, chat, "recordings") == {"deletion_set": 2}
    assert deletion_dates(sandbox) == {"plain": OURS, "archived": OURS}
    assert sandbox.get("recordings", "archived").items() >= archive.items()


def test_an_earlier_date_stays_and_a_later_one_is_brought_forward(
    http: Http, sandbox: SandboxHandle, chat: str
) -> None:
    put_recording(sandbox, chat, "earlier", deleteDate="2026-12-20T23:59:59.999Z")
    put_recording(sandbox, chat, "later", deleteDate="2033-11-21T00:00:00.000Z")
    put_recording(sandbox, chat, "gone", fileState="DELETED")
    assert step(http, RECORDINGS, chat, "recordings") == {"deletion_set": 1, "set_before": 2}
    assert deletion_dates(sandbox) == {"later": OURS}


def test_a_repetition_puts_nothing_off(
    http: Http, sandbox: SandboxHandle, clock: ManualClock, chat: str
) -> None:
    put_recording(sandbox, chat, "one")
    step(http, RECORDINGS, chat, "recordings")
    clock.advance(86_400)
    assert step(http, RECORDINGS, chat, "recordings") == {"set_before": 1}
    assert deletion_dates(sandbox) == {"one": OURS}


def test_a_legal_hold_is_told_and_stops_nothing_else(
    http: Http, sandbox: SandboxHandle, chat: str
) -> None:
    put_recording(sandbox, chat, "held", legalHold=True)
    put_recording(sandbox, chat, "free")
    assert step(http, RECORDINGS, chat, "recordings") == {"deletion_set": 1, "refused": 1}
    assert deletion_dates(sandbox) == {"free": OURS}


def test_a_recording_that_is_being_stored_is_waited_for(
    http: Http, sandbox: SandboxHandle, chat: str
) -> None:
    put_recording(sandbox, chat, "new", fileState="UPLOADING")
    put_recording(sandbox, chat, "free")
    with pytest.raises(Postponed, match="a recording is being stored") as postponed:
        step(http, RECORDINGS, chat, "recordings")
    assert postponed.value.deadline == 3 * 86_400
    assert deletion_dates(sandbox) == {}


def test_a_permission_that_is_missing_is_no_legal_hold(
    http: Http, sandbox: SandboxHandle, chat: str
) -> None:
    put_recording(sandbox, chat, "one")
    sandbox.put_client("platform-client", permissions=["recording:recording:view"])
    with pytest.raises(Forbidden, match="editRetention"):
        step(http, RECORDINGS, chat, "recordings")


def test_what_the_api_calls_wrong_is_no_legal_hold(
    http: Http, sandbox: SandboxHandle, chat: str
) -> None:
    put_recording(sandbox, chat, "one")
    error = {"code": "recording.invalid.json", "message": "?", "status": 400}
    sandbox.fault(kind="status", system="platform", method="PUT", status=400, body=error)
    with pytest.raises(BadRequest, match=r"recording\.invalid\.json"):
        step(http, RECORDINGS, chat, "recordings")


def test_without_recordings_nothing_is_set(http: Http, sandbox: SandboxHandle, chat: str) -> None:
    assert step(http, RECORDINGS, chat, "recordings") == {}


def test_the_contact_of_a_conversation_is_asked_to_be_deleted_once(
    http: Http, sandbox: SandboxHandle, chat: str
) -> None:
    participants = sandbox.get("platformConversations", chat)["participants"]
    (contact_id,) = (p["externalContactId"] for p in participants if "externalContactId" in p)
    assert step(http, GDPR, chat, "gdpr_request") == {"asked": 1, "under_way": 0}
    assert step(http, GDPR, chat, "gdpr_request") == {"asked": 0, "under_way": 1}
    (effect,) = sandbox.effects(kind="gdpr.requested")
    request = sandbox.get("gdprRequests", effect["subject"])
    assert request["requestType"] == "GDPR_DELETE"
    assert request["subject"] == {"externalContactId": contact_id}


def test_a_request_that_has_ended_is_made_again(
    http: Http, sandbox: SandboxHandle, clock: ManualClock, chat: str
) -> None:
    step(http, GDPR, chat, "gdpr_request")
    clock.advance(3_600)
    assert step(http, GDPR, chat, "gdpr_request") == {"asked": 1, "under_way": 0}


def test_a_conversation_without_a_contact_names_nobody(http: Http, sandbox: SandboxHandle) -> None:
    guest = {"id": "p", "purpose": "customer", "attributes": {}}
    told = [{"messageId": "m", "messageTime": "2026-11-20T00:00:00.000Z"}]
    communication = {"id": "c", "state": "disconnected", "messages": told}
    document = {
        "startTime": "2026-11-20T00:00:00.000Z",
        "participants": [{**guest, "messages": [communication]}],
    }
    sandbox.put("platformConversations", "anonymous", document)
    assert step(http, GDPR, "anonymous", "gdpr_request") == {"asked": 0, "under_way": 0}
    assert sandbox.effects(kind="gdpr.requested") == []


def test_nothing_is_removed_before_the_redacted_transcript_is_safe(
    http: Http, sandbox: SandboxHandle, tmp_path: Path, chat: str
) -> None:
    put_recording(sandbox, chat, "one")
    settings = PlatformSettings(
        archive_folder=tmp_path / "absent", delete_recordings=True, gdpr_requests=True
    )
    with pytest.raises(Failed, match="archive_folder"):
        step(http, settings, chat, "recordings")
    assert sandbox.effects(system="platform") == []


def test_a_redaction_does_all_that_is_switched_on_and_says_so(
    http: Http, sandbox: SandboxHandle, tmp_path: Path, chat: str
) -> None:
    put_recording(sandbox, chat, "one")
    before = sandbox.get("messageTranscripts", chat)
    settings = PlatformSettings(archive_folder=tmp_path, delete_recordings=True, gdpr_requests=True)
    genesys = PlatformInteractions(http=http, settings=settings)
    message = RedactInteraction(interaction_id=chat)
    outcome = redact_interaction(message, genesys, RedactionRules())
    assert outcome.status == "done"
    assert (
        outcome.detail.items()
        >= {
            "stored_messages": "unchanged: the API cannot change them",
            "archived": f"{chat}.json",
            "recordings": {"deletion_set": 1},
            "gdpr_request": {"asked": 1, "under_way": 0},
        }.items()
    )
    assert sandbox.get("messageTranscripts", chat) == before
    assert redact_interaction(message, genesys, RedactionRules()).detail["recordings"] == {
        "set_before": 1
    }
