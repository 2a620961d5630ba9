"""Rules: which events become which messages, and what makes each of them unique."""

from __future__ import annotations
