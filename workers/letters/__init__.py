"""Dead letters: sealed, kept, shown, replayed, discarded."""

from __future__ import annotations
