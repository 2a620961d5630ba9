"""Seeded web messaging configurations, with fields that only other writers own."""

from __future__ import annotations

import random
from decimal import Decimal

from workers.sandbox.contrast import contrast
from workers.sandbox.seed import phrases
from workers.sandbox.wire import iso
from workers.sandbox.world import Document

WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")


def configuration(rng: random.Random, organization_id: str, *, modified: float) -> Document:
    """A valid configuration of one organisation."""
    return {
        "organizationId": organization_id,
        "version": rng.randint(1, 9),
        "dateModified": iso(modified),
        "widget": _widget(rng),
        "greetings": {
            "enabled": True,
            "messages": ["Welcome! How can we help you today?"],
            "delayMs": 2000,
        },
        "availability": {
            "schedule": "custom",
            "rules": [
                {"dayOfWeek": day, "startTime": "09:00", "endTime": "17:30"} for day in WEEKDAYS
            ],
        },
        "features": {"flags": {"typingIndicator": True}, "audiences": [], "dynamicRouting": False},
        "launcher": {"position": rng.choice(("left", "right")), "label": "Chat with us"},
        "branding": {"logo": f"logo-{organization_id}.svg", "poweredBy": rng.random() < 0.5},
    }


def _widget(rng: random.Random) -> Document:
    primary, background = rng.choice(phrases.COLORS), "#FFFFFF"
    ratio = Decimal(f"{contrast(primary, background):.2f}")
    return {
        "theme": {
            "colors": {"primary": primary, "background": background},
            "typography": {"fontSize": "16px", "fontFamily": rng.choice(phrases.FONTS)},
        },
        "accessibility": {"wcagLevel": "AA", "contrastRatio": ratio, "ariaLiveRegion": "polite"},
    }
