"""Flower, as it fits this delivery: who may look, what queues hold, and no arguments."""

from __future__ import annotations
