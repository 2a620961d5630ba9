"""The way to a tenant's outside systems, and what was asked of them."""

from __future__ import annotations
