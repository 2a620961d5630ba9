"""Messages onto queues, and what they may be."""

from __future__ import annotations
