"""Where a message can hold text that people wrote, and how other text is put in its place.

Everything else (ids, types, addresses of the two sides, timestamps, links, unknown fields) stays as
it is. Nothing here recurses, so that no depth of nesting can stop a redaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: The fields that hold text, by the name of the object they stand in; an object that is not here is
#: not looked into. From the definitions `MessageData`, `ConversationNormalizedMessage` and
#: `ConversationMessageContent` with all that they refer to, in the vendor's Platform API v2; the
#: guides name `text` alone. A payload is "text to be returned", and may be an id as well.
TEXTS: Mapping[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "message": "text textBody",
        "normalizedMessage": "text",
        "relatedMessages": "text",
        "content": "",
        "text": "body",
        "attachment": "text filename name",
        "attachments": "text filename name",
        "media": "text filename name",
        "quickReply": "text payload summaryText",
        "quickReplies": "text payload summaryText",
        "quickReplyV2": "title",
        "buttonResponse": "text payload",
        "card": "title description",
        "cards": "title description",
        "carousel": "",
        "actions": "text payload summaryText",
        "defaultAction": "text payload",
        "template": "",
        "header": "text",
        "body": "text",
        "footer": "text",
        "parameters": "text",
        "buttons": "text payload phoneNumber",
        "location": "text address",
        "datePicker": "title subtitle",
        "listPicker": "",
        "wheelPicker": "",
        "sections": "title",
        "items": "title subtitle value",
        "interactiveApplication": "name",
        "receivedMessage": "header title subtitle buttonLabel",
        "replyMessage": "header title subtitle buttonLabel",
        "paymentRequest": "",
        "paymentResponse": "failureReason",
        "lineItems": "name description",
        "shippingOptions": "name description",
        "push": "",
        "notificationMessage": "title body",
        "notificationResponse": "notificationText",
        "form": "",
        "introduction": "title subtitle buttonText",
        "formPages": "title subtitle",
        "pageComponents": "",
        "input": "title subtitle placeholderText",
        "response": "",
        "component": "",
    }.items()
}

#: The object whose values are all text, at any depth: "additional metadata", a map of strings.
METADATA = "metadata"

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_.-]+")


@dataclass(frozen=True, eq=False, kw_only=True)
class Holder:
    """An object or a list inside a message, and where it hangs in the one around it."""

    value: Any = field(repr=False)
    name: str
    parent: Holder | None = None
    key: str | int = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Place:
    """A text in a message: the item `key` of `holder`."""

    holder: Holder
    key: str | int
    text: str = field(repr=False)

    @property
    def path(self) -> str:
        """The way to it from the message, such as `content.0.quickReply.text`."""
        keys = [str(self.key)]
        holder = self.holder
        while holder.parent:
            keys.append(str(holder.key))
            holder = holder.parent
        return ".".join(reversed(keys[:-1])) or "message"

    @property
    def kind(self) -> str:
        """The kind of place: texts of one kind in consecutive messages can be one text."""
        return f"{self.holder.name}.{self.key}"

    @property
    def said(self) -> bool:
        """Whether somebody said it, or saw it as said; metadata says things about a message."""
        return self.holder.name != METADATA

    @property
    def label(self) -> str:
        """The name of a metadata value in words; nothing for what was said."""
        if self.said or not isinstance(self.key, str):
            return ""
        return _WORD_STARTS.sub(" ", self.key)


def places(message: object) -> Iterator[Place]:
    """Yield the texts of a message of any shape, in the order of its fields."""
    pending: list[Holder | Place] = [Holder(value=[message], name="message")]
    while pending:
        each = pending.pop()
        if isinstance(each, Place):
            yield each
        else:
            pending += reversed(list(_inside(each)))


def filled(message: Any, texts: Iterable[tuple[Place, str]]) -> Any:
    """Return a message with texts in places that `places` gave, all of one call, in it.

    What holds none of them is shared with the message that was given, which stays as it is.
    """
    copies: dict[Holder, Any] = {}
    for place, text in texts:
        _copy(place.holder, copies)
        copies[place.holder][place.key] = text
    root = next(iter(copies.values()), [message])
    return root[0]


def _inside(holder: Holder) -> Iterator[Holder | Place]:
    listed = not isinstance(holder.value, Mapping)
    for key, item in enumerate(holder.value) if listed else holder.value.items():
        whole = listed or holder.name == METADATA
        name = holder.name if whole else _name(key)
        if isinstance(item, str):
            if whole or key in TEXTS[holder.name]:
                yield Place(holder=holder, key=key, text=item)
        elif name and isinstance(item, Mapping | list | tuple):
            yield Holder(value=item, name=name, parent=holder, key=key)


def _name(key: object) -> str | None:
    """Return the name of an object in the table, None for what is not looked into."""
    return key if isinstance(key, str) and (key in TEXTS or key == METADATA) else None


def _copy(holder: Holder | None, copies: dict[Holder, Any]) -> None:
    """Copy what holds a text, and all that is around it, each once; the outermost first."""
    missing = []
    while holder and holder not in copies:
        missing.append(holder)
        holder = holder.parent
    for each in reversed(missing):
        value = each.value
        copies[each] = dict(value) if isinstance(value, Mapping) else list(value)
        if each.parent:
            copies[each.parent][each.key] = copies[each]
