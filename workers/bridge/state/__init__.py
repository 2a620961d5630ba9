"""What bridges share in Redis: who leads, how far it was heard, what is still to be found."""

from __future__ import annotations
