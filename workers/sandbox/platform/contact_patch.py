"""`PATCH` of a contact: fields named by a path, each with an action."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workers.sandbox.errors import conflict
from workers.sandbox.platform.contact_shape import WRITABLE
from workers.sandbox.platform.errors import invalid
from workers.sandbox.world import Document

#: The root and named fields, by dots alone; a strict subset of RFC 9535, as the vendor says.
_PATH = re.compile(r"\$(\.\w+)+")
_EMPTY: tuple[Any, ...] = (None, "", [], {})


def changed(contact: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> Document:
    """The contact after all changes, in their order.

    Raises Refused: 422 for a path or value that cannot be, 409 where one path is part of another.
    """
    paths = [_path(change["field"]) for change in changes]
    for one, other in itertools.combinations(paths, 2):
        if one == other[: len(one)] or other == one[: len(other)]:
            raise conflict("request.conflict", "a field and what it is in are both changed")
    document = copy.deepcopy(dict(contact))
    for path, change in zip(paths, changes, strict=True):
        _apply(document, path, change)
    return document


def _path(text: str) -> tuple[str, ...]:
    names = tuple(text.split(".")[1:])
    if not _PATH.fullmatch(text) or names[0] not in WRITABLE:
        raise invalid("field", f"{text} is no path to a field that may be written")
    return names


def _apply(document: Document, path: tuple[str, ...], change: Mapping[str, Any]) -> None:
    *parents, name = path
    for parent in parents:
        document = document.setdefault(parent, {})
        if not isinstance(document, dict):
            raise invalid("field", f"{change['field']} is in no object")
    new = _ACTIONS[change["action"]](document.get(name), change.get("value"))
    if new is None:
        document.pop(name, None)
    else:
        document[name] = new


def _append(old: Any, value: Any) -> Any:
    return [*_collection(old), *(each for each in _collection(value) if each not in (old or ()))]


def _remove_from(old: Any, value: Any) -> Any:
    return [each for each in _collection(old) if each not in _collection(value)]


def _collection(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


_ACTIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "Update": lambda _old, value: value,
    "UpdateIfEmpty": lambda old, value: value if old in _EMPTY else old,
    "UpdateIfExists": lambda old, value: old if old in _EMPTY else value,
    "Remove": lambda _old, _value: None,
    "AppendToCollection": _append,
    "RemoveFromCollection": _remove_from,
}
