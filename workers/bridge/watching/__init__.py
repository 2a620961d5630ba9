"""How a bridge is: metrics, health, reports."""

from __future__ import annotations
