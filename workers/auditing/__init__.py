"""The append-only record, its files, and who checks it."""

from __future__ import annotations
