"""Genesys Cloud as the guides describe it."""

from __future__ import annotations

from workers.sandbox.genesys import (
    audit,
    configurations,
    contacts,
    interactions,
    participants,
    profiles,
    replication,
)

ROUTES = (
    *profiles.ROUTES,
    *participants.ROUTES,
    *contacts.ROUTES,
    *configurations.ROUTES,
    *replication.ROUTES,
    *audit.ROUTES,
    *interactions.ROUTES,
)
