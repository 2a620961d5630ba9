"""The `genesys-workers` command: one module per command, none with logic of its own."""

from __future__ import annotations

from workers.cli.main import main

__all__ = ["main"]
