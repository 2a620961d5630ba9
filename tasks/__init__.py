"""What the work is: messages, use cases, and the seams to the outside systems."""

from __future__ import annotations
