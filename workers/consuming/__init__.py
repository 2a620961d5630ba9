"""What becomes of a claimed message: read, checked, run as a task, or parked."""

from __future__ import annotations
