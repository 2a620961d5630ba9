"""Redact a conversation in order, so that a question tells what its answer is.

Each round reads the conversation as it stands: every text by itself, with what its side was asked
for; then values typed over several messages; then what repeats any of them. Where something was
found there is a further round, since a placeholder may bring a word nearer to a number. So what
comes out holds nothing that a second redaction would find.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from typing import Any

from tasks.pii.dialogue import Dialogue
from tasks.pii.lines import Line, lines_of
from tasks.pii.places import filled
from tasks.pii.repeated import find_repeated
from tasks.pii.search import Search
from tasks.pii.splits import find_split

Message = Mapping[str, Any]

#: Two or three are enough; each further one needs a word that came near in the one before.
MAX_ROUNDS = 10


@dataclass(frozen=True, kw_only=True)
class Redacted:
    """The messages without personal data, how many changed, and findings per entity.

    A value that is split over several messages counts once.
    """

    messages: tuple[Message, ...] = field(repr=False)
    changed: int
    findings: Mapping[str, int]


def redact_transcript(
    messages: Sequence[Message],
    entities: Collection[str] | None = None,
    *,
    search: Search | None = None,
) -> Redacted:
    """Return the messages with every field kept and only their texts redacted.

    Messages are a vendor's, of either contract: `tasks.pii.places` says where texts are looked
    for, `tasks.pii.dialogue` who speaks. `search` is what a tenant wants, `entities` narrows it.
    """
    search = search or Search()
    if entities is not None:
        search = replace(search, entities=entities)
    return outcome(messages, search_transcript(messages, search))


def outcome(messages: Sequence[Any], lines: Iterable[Line]) -> Redacted:
    """Return the messages with their `lines` as they have been redacted."""
    found = [line for line in lines if line.found]
    changed = {
        turn: filled(messages[turn], [(line.place, line.text) for line in group])
        for turn, group in groupby(found, key=attrgetter("turn"))
    }
    counts = Counter(each.entity for line in found for each in line.found if each.counts)
    return Redacted(
        messages=tuple(changed.get(turn, message) for turn, message in enumerate(messages)),
        changed=len(changed),
        findings=dict(sorted(counts.items())),
    )


def search_transcript(messages: Sequence[object], search: Search) -> list[Line]:
    """Return the texts of the messages with what was found in each."""
    lines = lines_of(messages)
    for _ in range(MAX_ROUNDS):
        _find_singly(lines, search)
        find_split(lines, search.look)
        find_repeated(lines)
        if not any(line.new for line in lines):
            break
        for line in lines:
            line.settle(search.placeholder)
    return lines


def _find_singly(lines: Sequence[Line], search: Search) -> None:
    """Find what each text holds by itself, as the answer to what its side was asked for."""
    dialogue = Dialogue(search.topic)
    for _, group in groupby(lines, key=attrgetter("turn")):
        message = list(group)
        for line in message:
            label = line.place.label
            line.asked = search.topic(f"your {label}?") if label else dialogue.asked(line.side)
            line.look(search.look)
        said = dict.fromkeys(line.text for line in message if line.place.said)
        dialogue.hear(message[0].side, search.blanked("\n".join(said)))
