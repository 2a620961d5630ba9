"""A file that a worker touches for as long as its loop goes round: health checks look at its age.

While Redis is away the loop does not go round, and neither does that of a worker that is ending.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery import Celery, bootsteps

#: Seconds between two signs.
PERIOD = 2.0


def show(app: Celery, file: Path) -> None:
    """Have the workers of `app` touch `file`. Raises `OSError` where that cannot be done."""
    file.touch()
    # What an earlier worker has left is no sign of this one.
    file.unlink()

    class SignOfLife(bootsteps.StartStopStep):
        timer: Any = None

        def start(self, parent: Any) -> None:
            """Begin with the loop; its own timer is what makes this a sign of it."""
            self.timer = parent.timer.call_repeatedly(PERIOD, file.touch)

        def stop(self, parent: Any) -> None:  # noqa: ARG002  # Celery's call
            if self.timer:
                self.timer.cancel()

    app.steps["consumer"].add(SignOfLife)
