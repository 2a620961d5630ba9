"""Recordings: transcoded before they are given out, kept until a date, or held by law.

A document is the recording, with `legalHold` and `transcodedAt` (ISO 8601) beyond the vendor's.
"""

from __future__ import annotations

from typing import Any, Literal

# Before Python 3.12 pydantic cannot read that of `typing`.
from typing_extensions import TypedDict

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.errors import Refused, bad_request
from workers.sandbox.platform.conversations import conversation
from workers.sandbox.platform.errors import not_found
from workers.sandbox.platform.queries import choice, flag
from workers.sandbox.platform.shapes import Own, Shape
from workers.sandbox.wire import instant, iso
from workers.sandbox.world import Document

PATH = "/api/v2/conversations/{conversationId}"
_KINDS = ("recording", "screenRecording", "snippetRecording")
VIEW = (
    "recording:recording:view",
    "recording:recordingSegment:view",
    "recording:snippetRecording:view",
    "recording:screenRecording:view",
)
RETAIN = tuple(f"recording:{kind}:editRetention" for kind in _KINDS)
#: Enough to come in: which of them a change needs depends on what it changes.
PUT = tuple(
    f"recording:{kind}:{action}"
    for kind in _KINDS
    for action in ("view", "editRetention", "restore")
)
FORMATS = ("WEBM", "WAV", "WAV_ULAW", "OGG_VORBIS", "OGG_OPUS", "MP3", "NONE")
UNKNOWN_CONVERSATION = "conversation.not.found"
HELD = "recording.not.archivable"
FORBIDDEN = "recording.recording.edit.retention.permission.check.failed"
#: What a change removes by leaving it out, and what it may set.
REMOVABLE = ("archiveDate", "archiveMedium", "deleteDate")
RETENTION = (*REMOVABLE, "exportDate")
_HIDDEN = ("legalHold", "transcodedAt")
#: What metadata have not: playable media and what was said.
_MEDIA = ("messagingTranscript", "mediaUris", "creationTime", "recordingFileRole")
_PARAMETERS = frozenset({"formatId", "mediaFormats", "locale"})


class _Recording(TypedDict, total=False):
    id: Own
    name: Own
    conversationId: Own
    path: Own
    startTime: Own
    endTime: Own
    media: Own
    mediaSubtype: Own
    mediaSubject: Own
    annotations: Own
    transcript: Own
    emailTranscript: Own
    messagingTranscript: Own
    fileState: Literal[
        "ARCHIVED", "AVAILABLE", "DELETED", "RESTORED", "RESTORING", "UPLOADING", "ERROR"
    ]
    restoreExpirationTime: str
    mediaUris: Own
    estimatedTranscodeTimeMs: Own
    actualTranscodeTimeMs: Own
    archiveDate: str
    archiveMedium: Literal["CLOUDARCHIVE"]
    deleteDate: str
    exportDate: str
    exportedDate: Own
    outputDurationMs: Own
    outputSizeInBytes: Own
    maxAllowedRestorationsForOrg: Own
    remainingRestorationsAllowedForOrg: Own
    sessionId: Own
    users: Own
    recordingFileRole: Own
    recordingErrorStatus: Own
    originalRecordingStartTime: Own
    creationTime: Own
    associatedConversationIds: Own
    selfUri: Own


_SHAPE = Shape(_Recording)


def list_recordings(call: Call) -> Answer:
    """`GET …/recordings`: 202 without a body until all of them are transcoded.

    `formatId=NONE` asks for no media, and is answered at once.
    """
    found = _recordings(call)
    if not _transcoded(call, found):
        return Answer(status=202)
    return Answer(body=[_shown(each) for each in found])


def read_recording(call: Call) -> Answer:
    """`GET …/recordings/{recordingId}`: 202 with what is known until it is transcoded."""
    found = _recording(call)
    if not _transcoded(call, [found]):
        wait = int(call.options.transcoding_seconds * 1000)
        body = {**_metadata(found), "estimatedTranscodeTimeMs": wait}
        return Answer(status=202, body=body)
    return Answer(body=_shown(found))


def list_metadata(call: Call) -> Answer:
    """`GET …/recordingmetadata`: at once, without media and what was said."""
    return Answer(body=[_metadata(each) for each in _recordings(call)])


def put_recording(call: Call) -> Answer:
    """`PUT …/recordings/{recordingId}`: sets the dates that are sent, removes those that are not.

    An export's date is removed by `clearExport` alone.

    At its `deleteDate` the recording is gone for good. Raises Refused: 403 without the permission
    to edit its retention, 400 for one under a legal hold, 404 for one that is deleted.
    """
    found = _recording(call)
    _check_permission(call)
    sent = _SHAPE.read(call)
    dates = {name: sent[name] for name in RETENTION if name in sent}
    _check_dates(dates)
    if found["fileState"] == "DELETED":
        raise Refused(404, HELD, "the recording is deleted")
    if found.get("legalHold"):
        raise bad_request("the recording is under a legal hold", HELD)
    old = found.get("deleteDate")
    for name in REMOVABLE + (("exportDate",) if flag(call, "clearExport") else ()):
        found.pop(name, None)
    found.update(dates)
    if found.get("deleteDate") != old:
        _deletion_set(call, found)
    return Answer(body=_metadata(found))


def _recordings(call: Call) -> list[Document]:
    conversation_id = conversation(call, UNKNOWN_CONVERSATION)["id"]
    held = call.organization.recordings.values()
    return [each for each in held if each["conversationId"] == conversation_id]


def _recording(call: Call) -> Document:
    for each in _recordings(call):
        if each["id"] == call.path["recordingId"]:
            return each
    raise not_found("recording", call.path["recordingId"])


def _transcoded(call: Call, recordings: list[Document]) -> bool:
    """Whether the media are ready; asking for them begins their transcoding."""
    asked = choice(call, "formatId", "WEBM", FORMATS)
    if not call.choices("mediaFormats", frozenset(FORMATS) - {"NONE"}) and asked == "NONE":
        return True
    ready_at = iso(call.now + call.options.transcoding_seconds)
    moments = [each.setdefault("transcodedAt", ready_at) for each in recordings]
    return all(instant(each).timestamp() <= call.now for each in moments)


def _shown(recording: Document) -> Document:
    return {name: value for name, value in recording.items() if name not in _HIDDEN}


def _metadata(recording: Document) -> Document:
    return {name: value for name, value in _shown(recording).items() if name not in _MEDIA}


def _check_permission(call: Call) -> None:
    if call.permissions is not None and not call.permissions.intersection(RETAIN):
        message = "the retention of recordings may not be edited"
        raise Refused(403, FORBIDDEN, message)


def _check_dates(dates: Document) -> None:
    for name in dates.keys() - {"archiveMedium"}:
        try:
            instant(dates[name])
        except ValueError:
            raise bad_request(f"{name}: must be an ISO 8601 date-time", "invalid.date") from None


def _deletion_set(call: Call, recording: Document) -> None:
    date = recording.get("deleteDate")
    call.effect(
        "recording.deletion_set",
        recording["id"],
        conversation=recording["conversationId"],
        delete_date=date,
    )
    if date is None:
        return

    def delete(_: float) -> None:
        if recording.get("deleteDate") == date:
            recording["fileState"] = "DELETED"
            recording.pop("messagingTranscript", None)

    call.world.timeline.schedule(instant(date).timestamp(), delete)


def _route(method: str, path: str, handle: Any, *query: str) -> Route:
    return Route(
        method=method,
        path=PATH + path,
        handle=handle,
        any_of=VIEW,
        query=frozenset(query),
        repeatable=frozenset(query) & {"mediaFormats"},
    )


_ONE = "/recordings/{recordingId}"
ROUTES = (
    _route(
        "GET",
        "/recordings",
        list_recordings,
        *_PARAMETERS,
        "maxWaitMs",
        "includePauseAnnotationsForScreenRecordings",
    ),
    _route(
        "GET",
        _ONE,
        read_recording,
        *_PARAMETERS,
        "emailFormatId",
        "chatFormatId",
        "messageFormatId",
        "download",
        "fileName",
    ),
    Route(
        method="PUT",
        path=PATH + _ONE,
        handle=put_recording,
        any_of=PUT,
        query=frozenset({"clearExport"}),
    ),
    _route("GET", "/recordingmetadata", list_metadata),
)
