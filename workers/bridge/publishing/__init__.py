"""Messages onto the broker, each occurrence once."""

from __future__ import annotations
