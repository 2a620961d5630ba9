"""The date on which the recordings of a conversation are deleted."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from tasks import errors
from tasks.apis import answers
from tasks.apis.bodies import Body
from tasks.apis.calls import Call
from tasks.apis.http import Http
from tasks.apis.moments import iso
from tasks.compact_json import Json

CONVERSATION = "/api/v2/conversations/{conversation_id}"
VIEW = "recording:recording:view"
#: What the API answers of a recording that must be kept, under a legal hold for instance.
HELD = "recording.not.archivable"

#: Seconds until a recording that is still being stored is looked at again, and until it is given
#: up: these count from the first attempt, which may have waited for the end of the conversation.
WAIT = 300.0
DEADLINE = 3 * 86_400.0

Result = Literal["deletion_set", "set_before", "refused"]


class _Recording(Body):
    id: str
    file_state: str = ""
    archive_date: str = ""
    archive_medium: str = ""
    delete_date: AwareDatetime | None = None

    def retention(self, delete_at: datetime) -> dict[str, str]:
        """Return the dates to be set: to leave out the archive's would remove it."""
        dates = {
            "archiveDate": self.archive_date,
            "archiveMedium": self.archive_medium,
            "deleteDate": iso(delete_at),
        }
        return {name: value for name, value in dates.items() if value}


_RECORDINGS = TypeAdapter(list[_Recording])


def delete_later(http: Http, conversation_id: str, at: datetime) -> Json:
    """Have every recording deleted at `at` or before; return how many there are by result.

    An earlier date that a recording has is left alone, so that repeating puts nothing off.
    `refused` are those that the API keeps, under a legal hold. Raises `Postponed` while one is
    still being stored, for at most three days.
    """
    recordings = _read(http, conversation_id)
    if any(each.file_state == "UPLOADING" for each in recordings):
        raise errors.Postponed("a recording is being stored", wait=WAIT, deadline=DEADLINE)
    results = Counter[str](_set(http, conversation_id, each, at) for each in recordings)
    return dict(sorted(results.items()))


def _read(http: Http, conversation_id: str) -> list[_Recording]:
    """Return what is known of the recordings; their media are not asked for."""
    call = Call(
        method="GET",
        route=f"{CONVERSATION}/recordingmetadata",
        ids={"conversation_id": conversation_id},
        needs=VIEW,
        allowed=frozenset({404}),
    )
    answer = http.call(call)
    if answer.status == 404:
        return []
    try:
        return _RECORDINGS.validate_python(answer.body)
    except ValidationError:
        raise answers.unknown(http.endpoint.system, call, answer.status) from None


def _set(http: Http, conversation_id: str, recording: _Recording, at: datetime) -> Result:
    gone = recording.file_state == "DELETED"
    if gone or (recording.delete_date is not None and recording.delete_date <= at):
        return "set_before"
    call = Call(
        method="PUT",
        route=f"{CONVERSATION}/recordings/{{recording_id}}",
        ids={"conversation_id": conversation_id, "recording_id": recording.id},
        body=recording.retention(at),
        needs=f"{VIEW} and recording:recording:editRetention",
        kind="write",
        effect=True,
    )
    try:
        http.call(call)
    except (errors.BadRequest, errors.NotFound) as error:
        if error.code != HELD:
            raise
        return "refused"
    return "deletion_set"
