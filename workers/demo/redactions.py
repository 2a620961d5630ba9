"""Redactions of chats, one by one and by a sweep over all that were completed in a time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

from workers.demo import organizations
from workers.demo.effects import Effect, redacted
from workers.demo.errand import DONE, EITHER, NOOP, REJECTED, Document, Errand, FollowUp
from workers.sandbox.seed import chats
from workers.sandbox.wire import iso
from workers.sandbox.world import new_id

#: The time that sweeps look at; only the demonstration's own chats were held in it.
SWEPT_FROM = 1_709_251_200.0  # 2024-03-01T00:00:00Z
DAY = 86_400.0
SWEPT_CHATS = 12
PAGE_SIZE = 5

#: Chats that are redacted one by one, outside the time above.
CHATTED = 1_672_531_200.0  # 2023-01-01T00:00:00Z

Messages = list[dict[str, Any]]

CLEAN = (
    "Hello! How can I help you today?",
    "It has not arrived yet.",
    "One moment please, I am looking into it.",
    "Thanks, that helped!",
)


def errands(rng: random.Random, count: int) -> Iterator[Errand]:
    """Yield `count` redactions; some chats hold nothing to redact, some do not exist."""
    for number, organization in enumerate(islice(organizations.in_turn(), count)):
        if number % 8 == 7:
            yield unknown(rng, organization)
        else:
            yield plain(rng, organization, personal=0 if number % 5 == 4 else rng.randint(1, 4))


def plain(rng: random.Random, organization: str, *, personal: int) -> Errand:
    """A chat with so many messages that hold personal data."""
    chat, messages = talk(rng, started=CHATTED, personal=personal)
    return Errand(
        task="redact_interaction",
        queue="redact",
        organization=organization,
        arguments={"interaction_id": chat["id"]},
        endings=EITHER if personal else NOOP,
        effects=effects_of(organization, chat["id"], personal, messages),
        documents=(Document(kind="interactions", id=chat["id"], body=chat),),
    )


def unknown(rng: random.Random, organization: str) -> Errand:
    """A chat that does not exist."""
    return Errand(
        task="redact_interaction",
        queue="redact",
        organization=organization,
        arguments={"interaction_id": new_id(rng)},
        endings=REJECTED,
    )


def sweeps(rng: random.Random, count: int) -> Iterator[Errand]:
    """Yield `count` sweeps, each over a day of its own."""
    for number, organization in enumerate(islice(organizations.in_turn(), count)):
        yield _sweep(rng, organization, SWEPT_FROM + number * DAY)


def _sweep(rng: random.Random, organization: str, day: float) -> Errand:
    personal = [rng.randint(0, 3) for _ in range(SWEPT_CHATS)]
    swept = [
        talk(rng, started=day + hour * 3600, personal=each) for hour, each in enumerate(personal)
    ]
    effects = [
        effect
        for (chat, messages), each in zip(swept, personal, strict=True)
        for effect in effects_of(organization, chat["id"], each, messages)
    ]
    return Errand(
        task="redact_completed",
        queue="sweep",
        organization=organization,
        arguments={"since": iso(day), "until": iso(day + DAY), "page_size": PAGE_SIZE},
        endings=frozenset({"accepted"}),
        effects=tuple(effects),
        follow_ups=(
            *(FollowUp(suffix=chat["id"], task="redact_interaction") for chat, _ in swept),
            FollowUp(suffix="page-2", task="sweep_page", endings=frozenset({"accepted"})),
            FollowUp(suffix="page-3", task="sweep_page", endings=DONE),
        ),
        documents=tuple(
            Document(kind="interactions", id=chat["id"], body=chat) for chat, _ in swept
        ),
    )


def effects_of(
    organization: str, interaction: str, personal: int, messages: Messages
) -> tuple[Effect, ...]:
    """Return what becomes of a chat of which so many messages change."""
    return (redacted(organization, interaction, personal, messages),) if personal else ()


def talk(rng: random.Random, *, started: float, personal: int) -> tuple[dict[str, Any], Messages]:
    """Return a completed chat, and the messages that have to be left of it.

    Exactly `personal` of its messages hold personal data.
    """
    chat = chats.interaction(rng, started=started)
    chat["type"] = "webmessaging"
    texts = [_personal_text(rng) for _ in range(personal)]
    texts += [(text, text) for text in rng.choices(CLEAN, k=rng.randint(2, 6))]
    rng.shuffle(texts)
    pattern = chat["messages"][0]
    chat["messages"] = [{**pattern, "id": new_id(rng), "text": text} for text, _ in texts]
    pairs = zip(chat["messages"], texts, strict=True)
    return chat, [{**message, "text": left} for message, (_, left) in pairs]


def _personal_text(rng: random.Random) -> tuple[str, str]:
    """Return a text with personal data, and what has to be left of it."""
    template, secret = rng.choice(
        (
            ("You can reach me at {}.", f"guest{rng.randrange(10**4)}@example.com"),
            ("My card number is {}.", chats.card_number(rng)),
            ("My SSN is {}.", f"219-09-{rng.randrange(1, 10**4):04}"),
            ("Please send the refund to {}.", chats.iban(rng)),
        )
    )
    return template.format(secret), template.format("[REDACTED]")
