"""Redact a conversation in order, so that a question tells what its answer is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.pii.context import topic_asked
from tasks.pii.finding import find, replace

Message = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Redacted:
    """The messages without personal data, how many changed, and findings per entity."""

    messages: tuple[Message, ...] = field(repr=False)
    changed: int
    findings: Mapping[str, int]


def redact_transcript(
    messages: Sequence[Message], entities: Collection[str] | None = None
) -> Redacted:
    """Return the messages with every field kept and only their `text` redacted.

    A message is a vendor's: `text` and `from` are read where they are there. What somebody else
    asked for last decides about a bare number.
    """
    redacted: list[Message] = []
    counts: Counter[str] = Counter()
    last: Message = {}
    asked: str | None = None
    for message in messages:
        text = message.get("text")
        if message.get("from") != last.get("from"):
            asked = topic_asked(_text(last))
        findings = find(text, entities, asked=asked) if isinstance(text, str) else []
        counts.update(finding.entity for finding in findings)
        redacted.append(
            {**message, "text": replace(_text(message), findings)} if findings else message
        )
        last = message
    changed = sum(one is not other for one, other in zip(messages, redacted, strict=True))
    return Redacted(
        messages=tuple(redacted), changed=changed, findings=dict(sorted(counts.items()))
    )


def _text(message: Message) -> str:
    text = message.get("text")
    return text if isinstance(text, str) else ""
