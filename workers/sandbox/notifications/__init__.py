"""Genesys Cloud's notification service: what happens becomes events, and channels carry them."""

from __future__ import annotations
