"""The Platform API's recordings, and what data subjects may ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle
from workers.sandbox.wire import iso

Ask = Callable[..., requests.Response]
GDPR = "/api/v2/gdpr/requests"
SUBJECTS = "/api/v2/gdpr/subjects"
HELD = "recording.not.archivable"


@pytest.fixture
def recording(sandbox: SandboxHandle) -> dict[str, Any]:
    return sandbox.get("recordings", sandbox.ids("recordings")[0])


def conversation(recording: dict[str, Any]) -> str:
    return f"/api/v2/conversations/{recording['conversationId']}"


def one(recording: dict[str, Any]) -> str:
    return f"{conversation(recording)}/recordings/{recording['id']}"


def test_recordings_are_202_without_a_body_until_they_are_transcoded(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, recording: dict[str, Any]
) -> None:
    sandbox.options(transcoding_seconds=5)
    path = f"{conversation(recording)}/recordings"
    for seconds in (0, 4.9):
        clock.advance(seconds)
        answer = platform("GET", path)
        assert (answer.status_code, answer.content) == (202, b"")
        assert platform("GET", one(recording)).status_code == 202
    clock.advance(0.2)
    [shown] = platform("GET", path).json()
    assert shown["id"] == recording["id"]
    assert shown["messagingTranscript"] == recording["messagingTranscript"]
    assert platform("GET", one(recording)).json() == shown


def test_who_wants_no_media_waits_for_nothing(platform: Ask, recording: dict[str, Any]) -> None:
    path = f"{conversation(recording)}/recordings?formatId=NONE"
    [shown] = platform("GET", path).json()
    assert shown["id"] == recording["id"]
    [metadata] = platform("GET", f"{conversation(recording)}/recordingmetadata").json()
    assert metadata["id"] == recording["id"]
    assert "messagingTranscript" not in metadata
    assert platform("GET", f"{conversation(recording)}/recordings?formatId=VHS").status_code == 400


def test_a_conversation_without_recordings_has_an_empty_list(
    sandbox: SandboxHandle, platform: Ask, recording: dict[str, Any]
) -> None:
    recorded = {sandbox.get("recordings", each)["conversationId"] for each in _all(sandbox)}
    plain = next(each for each in sandbox.ids("messageTranscripts") if each not in recorded)
    path = f"/api/v2/conversations/{plain}"
    assert platform("GET", f"{path}/recordings").json() == []
    assert platform("GET", f"{path}/recordingmetadata").json() == []
    other = f"{path}/recordings/{recording['id']}"
    assert platform("GET", other).status_code == 404
    unknown = platform("GET", "/api/v2/conversations/unknown/recordings")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "conversation.not.found")


def _all(sandbox: SandboxHandle) -> list[str]:
    return sandbox.ids("recordings")


def test_a_recording_is_gone_at_its_delete_date(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, recording: dict[str, Any]
) -> None:
    date = iso(clock.now + 60)
    put = platform("PUT", one(recording), json={"deleteDate": date})
    assert (put.status_code, put.json()["deleteDate"]) == (200, date)
    [effect] = sandbox.effects(kind="recording.deletion_set", subject=recording["id"])
    assert effect["detail"]["delete_date"] == date
    clock.advance(59.9)
    assert sandbox.get("recordings", recording["id"])["fileState"] == "AVAILABLE"
    clock.advance(0.2)
    [metadata] = platform("GET", f"{conversation(recording)}/recordingmetadata").json()
    assert metadata["fileState"] == "DELETED"
    assert "messagingTranscript" not in sandbox.get("recordings", recording["id"])
    again = platform("PUT", one(recording), json={})
    assert (again.status_code, again.json()["code"]) == (404, HELD)


def test_a_date_that_is_not_sent_is_removed(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, recording: dict[str, Any]
) -> None:
    dates = {name: iso(clock.now + 60) for name in ("deleteDate", "archiveDate", "exportDate")}
    platform("PUT", one(recording), json=dates)
    put = platform("PUT", one(recording), json={}).json()
    assert {name for name in dates if name in put} == {"exportDate"}
    assert "exportDate" not in platform("PUT", f"{one(recording)}?clearExport=true", json={}).json()
    clock.advance(120)
    assert sandbox.get("recordings", recording["id"])["fileState"] == "AVAILABLE"
    assert len(sandbox.effects(kind="recording.deletion_set")) == 2


def test_a_whole_recording_that_was_read_can_be_put_back(
    platform: Ask, recording: dict[str, Any]
) -> None:
    read = platform("GET", f"{conversation(recording)}/recordings?formatId=NONE").json()[0]
    assert platform("PUT", one(recording), json=read).status_code == 200


def test_a_legal_hold_blocks_deletion(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock, recording: dict[str, Any]
) -> None:
    sandbox.put("recordings", recording["id"], {**recording, "legalHold": True})
    put = platform("PUT", one(recording), json={"deleteDate": iso(clock.now)})
    assert (put.status_code, put.json()["code"]) == (400, HELD)
    assert sandbox.effects() == []
    [metadata] = platform("GET", f"{conversation(recording)}/recordingmetadata").json()
    assert "legalHold" not in metadata


@pytest.mark.parametrize(
    "body", [{"deleteDate": "soon"}, {"deleteDate": 7}, {"archiveMedium": "TAPE"}, {"gone": True}]
)
def test_a_retention_of_another_shape_is_400(
    platform: Ask, recording: dict[str, Any], body: dict[str, Any]
) -> None:
    assert platform("PUT", one(recording), json=body).status_code == 400


def test_looking_at_recordings_is_not_editing_their_retention(
    sandbox: SandboxHandle, platform: Ask, recording: dict[str, Any]
) -> None:
    sandbox.put_client("platform-client", permissions=["recording:recording:view"])
    put = platform("PUT", one(recording), json={})
    code = "recording.recording.edit.retention.permission.check.failed"
    assert (put.status_code, put.json()["code"]) == (403, code)
    assert platform("GET", f"{conversation(recording)}/recordingmetadata").status_code == 200


def request(contact_id: str, kind: str = "GDPR_DELETE") -> dict[str, Any]:
    return {"requestType": kind, "subject": {"externalContactId": contact_id}}


def test_a_confirmed_deletion_takes_the_contact_and_what_was_said_with_it(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock
) -> None:
    sandbox.options(gdpr_seconds=60)
    chat = sandbox.ids("messageTranscripts")[0]
    customer = sandbox.get("platformConversations", chat)["participants"][0]
    contact_id = customer["externalContactId"]
    refused = platform("POST", GDPR, json=request(contact_id))
    assert refused.status_code == 400
    made = platform("POST", f"{GDPR}?deleteConfirmed=true", json=request(contact_id))
    assert (made.status_code, made.json()["status"]) == (202, "INITIATED")
    clock.advance(59)
    path = f"{GDPR}/{made.json()['id']}"
    assert platform("GET", path).json()["status"] == "INITIATED"
    assert contact_id in sandbox.ids("externalContacts")
    clock.advance(1)
    assert platform("GET", path).json()["status"] == "COMPLETED"
    assert contact_id not in sandbox.ids("externalContacts")
    assert chat not in sandbox.ids("messageTranscripts")
    [effect] = sandbox.effects(kind="gdpr.requested")
    assert effect["detail"] == {"type": "GDPR_DELETE", "external_contact": contact_id}


def test_an_export_deletes_nothing(
    sandbox: SandboxHandle, platform: Ask, clock: ManualClock
) -> None:
    contact_id = sandbox.ids("externalContacts")[0]
    assert platform("POST", GDPR, json=request(contact_id, "GDPR_EXPORT")).status_code == 202
    clock.advance(60)
    assert contact_id in sandbox.ids("externalContacts")


def test_requests_are_listed_by_page_newest_first(sandbox: SandboxHandle, platform: Ask) -> None:
    made = [
        platform("POST", GDPR, json=request(contact_id, "GDPR_EXPORT")).json()["id"]
        for contact_id in sandbox.ids("externalContacts")[:3]
    ]
    pages = [platform("GET", f"{GDPR}?pageSize=2&pageNumber={number}").json() for number in (1, 2)]
    assert [each["id"] for page in pages for each in page["entities"]] == made[::-1]
    assert (pages[0]["total"], pages[0]["pageCount"]) == (3, 2)


@pytest.mark.parametrize(
    "body",
    [
        {"requestType": "GDPR_FORGET", "subject": {"name": "x"}},
        {"requestType": "GDPR_EXPORT"},
        {"requestType": "GDPR_EXPORT", "subject": {}},
        {"requestType": "GDPR_EXPORT", "subject": {"shoeSize": "42"}},
    ],
)
def test_a_request_of_another_shape_is_400(
    sandbox: SandboxHandle, platform: Ask, body: dict[str, Any]
) -> None:
    assert platform("POST", GDPR, json=body).status_code == 400
    assert sandbox.effects() == []


def test_subjects_are_found_by_name_and_identifier(sandbox: SandboxHandle, platform: Ask) -> None:
    contact = sandbox.get("externalContacts", sandbox.ids("externalContacts")[0])
    name = f"{contact['firstName']} {contact['lastName']}"
    for kind, value in (
        ("EMAIL", contact["personalEmail"].upper()),
        ("PHONE", contact["cellPhone"]["e164"]),
        ("EXTERNAL_ID", contact["externalIds"][0]["value"]),
        ("NAME", name),
    ):
        query = {"searchType": kind, "searchValue": value}
        found = platform("GET", SUBJECTS, params=query).json()["entities"]
        assert contact["id"] in [each["externalContactId"] for each in found]
    assert platform("GET", f"{SUBJECTS}?searchType=SHOE_SIZE&searchValue=42").status_code == 400
    assert platform("GET", f"{SUBJECTS}?searchType=EMAIL").status_code == 400
