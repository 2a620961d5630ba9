"""The HTTP receiver, for EventBridge and whoever scrapes."""

from __future__ import annotations
