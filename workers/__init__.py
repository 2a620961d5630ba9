"""How work arrives, is admitted, is kept safe and is watched."""

from __future__ import annotations
