"""What may run when: rates, budgets, pauses, priorities, and who changes them."""

from __future__ import annotations
