"""What comes in, read: one event from either envelope."""

from __future__ import annotations
