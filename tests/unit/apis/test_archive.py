"""Redacted transcripts as files."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tasks.apis.genesys_platform.archive import write
from tasks.errors import Failed

MESSAGE = {
    "id": "m1",
    "timestamp": "2026-11-21T09:30:00.000Z",
    "direction": "inbound",
    "fromAddress": "+14155550100",
    "createdBy": {"email": "agent@example.com"},
    "textBody": "I am [REDACTED]",
    "normalizedMessage": {
        "type": "Structured",
        "text": "I am [REDACTED]",
        "channel": {"from": {"nickname": "Ann"}},
        "content": [{"contentType": "Text", "text": {"body": "[REDACTED]"}}],
        "metadata": {"page": "/checkout", "score": Decimal("1.50")},
    },
}


def test_a_transcript_is_kept_without_what_names_the_guest(tmp_path: Path) -> None:
    name = write(tmp_path, "c1", [MESSAGE])
    text = (tmp_path / name).read_text("utf-8")
    assert json.loads(text, parse_float=Decimal) == {
        "conversationId": "c1",
        "messages": [
            {
                "id": "m1",
                "timestamp": "2026-11-21T09:30:00.000Z",
                "direction": "inbound",
                "textBody": "I am [REDACTED]",
                "normalizedMessage": {
                    "type": "Structured",
                    "text": "I am [REDACTED]",
                    "content": [{"contentType": "Text", "text": {"body": "[REDACTED]"}}],
                    "metadata": {"page": "/checkout", "score": Decimal("1.50")},
                },
            }
        ],
    }


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    assert (tmp_path / write(tmp_path, "c1", [MESSAGE])).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("conversation_id", "name"),
    [("c1", "c1.json"), ("a/../../b", "a%2F..%2F..%2Fb.json"), ("a:b@c", "a%3Ab%40c.json")],
)
def test_no_id_leads_out_of_the_folder(tmp_path: Path, conversation_id: str, name: str) -> None:
    assert write(tmp_path, conversation_id, [MESSAGE]) == name
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_written_again_it_is_the_same_one_file(tmp_path: Path) -> None:
    first = (tmp_path / write(tmp_path, "c1", [MESSAGE])).read_bytes()
    assert (tmp_path / write(tmp_path, "c1", [MESSAGE])).read_bytes() == first
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "not mounted"
    with pytest.raises(Failed, match=r"archive_folder: cannot be written \(No such file"):
        write(folder, "c1", [MESSAGE])
    assert not folder.exists()


def test_nothing_is_left_behind_where_the_file_cannot_be_put_in_place(tmp_path: Path) -> None:
    (tmp_path / "c1.json").mkdir()
    with pytest.raises(Failed):
        write(tmp_path, "c1", [MESSAGE])
    assert [each.name for each in tmp_path.iterdir()] == ["c1.json"]
