"""Lua scripts: what has to be atomic, one idea per file."""

from __future__ import annotations
