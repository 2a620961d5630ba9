"""How long, and how often, something outside is asked whether it has ended."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0)]


class Waiting(BaseModel):
    """Ask after `first` seconds, then less and less often, until `deadline` has passed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: Seconds = 2.0
    longest: Seconds = 30.0
    deadline: Seconds = 600.0

    def next_wait(self, elapsed: float) -> float:
        """Return the seconds to the next question when `elapsed` have passed since the start."""
        return min(self.longest, max(self.first, elapsed / 2))
