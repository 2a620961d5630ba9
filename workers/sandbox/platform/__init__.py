"""Genesys Cloud as its published Platform API describes it."""

from __future__ import annotations

from workers.sandbox.platform import tokens_me

ROUTES = (*tokens_me.ROUTES,)
