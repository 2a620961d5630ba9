"""The WebSocket source: topics, channels, and what they carry."""

from __future__ import annotations
