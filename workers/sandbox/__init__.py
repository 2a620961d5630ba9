"""Simulated Genesys Cloud, NICE CXone and Cognigy.AI: strict, stateful, failing on demand."""

from __future__ import annotations

from workers.sandbox.options import Options
from workers.sandbox.server import serve

__all__ = ["Options", "serve"]
