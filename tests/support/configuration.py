"""A web messaging configuration that breaks no rule."""

from __future__ import annotations

from typing import Any

CONFIGURATION: dict[str, Any] = {
    "brand_color": "#0B5FFF",
    "font_size": 16,
    "font_family": "Inter",
    "greetings": ["Hello, how can we help?"],
    "availability_rules": [{"dayOfWeek": "monday", "startTime": "09:00", "endTime": "17:00"}],
    "feature_flags": {"typing": True},
    "audience_segments": ["returning"],
}
