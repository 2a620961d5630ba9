"""Seeded voice conversations, in which the first user is not always the connected one."""

from __future__ import annotations

import random

from workers.sandbox.seed import phrases
from workers.sandbox.wire import iso
from workers.sandbox.world import Document, new_id


def conversation(
    rng: random.Random, *, started: float, participants: int, ended: bool = False
) -> Document:
    """A conversation of that many participants; an active one has a connected user."""
    everyone = [_participant(rng, started) for _ in range(participants)]
    if ended:
        for each in everyone:
            each["state"] = "disconnected"
    else:
        everyone[rng.randrange(participants)].update(type="user", state="connected")
    return {
        "id": new_id(rng),
        "state": "ended" if ended else "active",
        "startTime": iso(started),
        "participants": everyone,
    }


def _participant(rng: random.Random, started: float) -> Document:
    kind = rng.choices(phrases.PARTICIPANT_TYPES, (4, 5, 3, 1, 1, 1))[0]
    attributes = {"queue": rng.choice(phrases.CITIES), "language": rng.choice(phrases.LANGUAGES)}
    return {
        "id": new_id(rng),
        "name": f"{rng.choice(phrases.FIRST_NAMES)} {rng.choice(phrases.LAST_NAMES)}",
        "type": kind,
        "state": rng.choices(phrases.PARTICIPANT_STATES, (3, 4, 2, 1, 1))[0],
        "participantAttributes": attributes if rng.random() < 0.6 else {},
        "lastUpdated": iso(started + rng.uniform(0, 600)),
    }
