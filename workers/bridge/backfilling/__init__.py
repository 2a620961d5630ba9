"""What was missed, found afterwards."""

from __future__ import annotations
