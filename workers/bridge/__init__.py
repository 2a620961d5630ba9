"""The notification bridge: events of Genesys Cloud in, messages out, nothing missed."""

from __future__ import annotations
