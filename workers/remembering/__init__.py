"""What operations remember over attempts and workers: what was begun, done, and is newest."""

from __future__ import annotations
