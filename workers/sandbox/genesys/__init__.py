"""Genesys Cloud as the guides describe it."""

from __future__ import annotations

from workers.sandbox.genesys import contacts, participants, profiles

ROUTES = (*profiles.ROUTES, *participants.ROUTES, *contacts.ROUTES)
