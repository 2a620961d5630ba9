"""Genesys Cloud as its published Platform API describes it."""

from __future__ import annotations

from workers.sandbox.platform import configurations, deployments, tokens_me

ROUTES = (
    *tokens_me.ROUTES,
    *configurations.ROUTES,
    *deployments.ROUTES,
)
