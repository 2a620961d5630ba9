"""Redacted transcripts in the tenant's own folder, one JSON file a conversation.

The folder has to be there, so that a disk that is not mounted is noticed, and has to be the same
for all workers.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from tasks.compact_json import compact_json
from tasks.errors import Failed

#: What is kept of a message. Addresses, channel and author name the guest, and are left out.
KEPT = ("id", "timestamp", "direction", "messengerType", "status", "textBody")
KEPT_NORMALIZED = ("type", "direction", "originatingEntity", "text", "content", "metadata")


def write(folder: Path, conversation_id: str, messages: Sequence[Mapping[str, object]]) -> str:
    """Write the transcript, readable by its owner only, and return the file's name.

    The file is complete or absent, and the same whenever it is written. Raises `Failed` where the
    folder cannot be written: somebody has to mend it, and the message is replayed then.
    """
    name = f"{quote(conversation_id, safe='')}.json"
    document = {"conversationId": conversation_id, "messages": [kept(each) for each in messages]}
    try:
        _replace(folder / name, compact_json(document))
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise Failed(f"archive_folder: cannot be written ({why})") from None
    return name


def kept(message: Mapping[str, object]) -> dict[str, object]:
    """Return what the archive holds of a message."""
    chosen = _chosen(message, KEPT)
    normalized = message.get("normalizedMessage")
    if isinstance(normalized, Mapping):
        chosen["normalizedMessage"] = _chosen(normalized, KEPT_NORMALIZED)
    return chosen


def _chosen(fields: Mapping[str, object], names: Sequence[str]) -> dict[str, object]:
    return {name: fields[name] for name in names if name in fields}


def _replace(target: Path, content: bytes) -> None:
    """Put a file in place of `target` once all of it is on the disk."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync(target.parent)


def _sync(folder: Path) -> None:
    """Make a renamed file last: what it stands for may be deleted right after."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
