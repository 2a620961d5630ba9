"""Cognigy.AI as its published API describes it: contact profiles."""

from __future__ import annotations

from workers.sandbox.cognigy import profiles

ROUTES = profiles.ROUTES
