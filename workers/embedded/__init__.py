"""Redis, the sandbox, workers and Flower in one process tree, on one machine."""

from __future__ import annotations
