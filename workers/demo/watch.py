"""Watches the messages of a plan until all of them have ended, or nothing can end any more."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping

from workers.demo.bridged import hears
from workers.demo.endings import endings
from workers.demo.known import as_known
from workers.demo.plan import Plan
from workers.demo.progress import Display
from workers.embedded.system import Embedded
from workers.sandbox.testing import SandboxHandle
from workers.watching.status import look

#: Seconds between two looks.
PAUSE = 0.5

#: Seconds without any message waiting or held, and with nothing left that the bridge has not heard
#: or made up for, after which what has not ended counts as lost.
QUIET = 5.0

#: Seconds after which that holds in any case: some, and more for each message.
PATIENCE, PATIENCE_PER_MESSAGE = 90.0, 0.2


def expected(plan: Plan) -> Counter[str]:
    """Return how many messages of each task have to end."""
    return Counter(task for each in plan.planned for _, task, _ in each.expected())


def watch(
    system: Embedded, plan: Plan, sender: threading.Thread, show: Display
) -> Mapping[str, str]:
    """Return the status by the id of every message that has ended; `show` it meanwhile.

    Raises `ProcessFailed` where a process of the system has ended.
    """
    sandbox = SandboxHandle(system.sandbox_url)
    deadline = time.monotonic() + PATIENCE + PATIENCE_PER_MESSAGE * plan.messages
    busy = time.monotonic()
    while True:
        system.tree.check()
        quiet = not sender.is_alive() and _is_quiet(system, sandbox)
        named = as_known(plan, sandbox)
        tasks = {name: task for each in named.planned for name, task, _ in each.expected()}
        ended = endings(system.app.services, list(tasks))
        show(Counter(tasks[name] for name in ended))
        now = time.monotonic()
        busy = busy if quiet else now
        if (quiet and len(ended) == len(tasks)) or now > min(deadline, busy + QUIET):
            return ended
        time.sleep(PAUSE)


def _is_quiet(system: Embedded, sandbox: SandboxHandle) -> bool:
    seen = look(system.app.services)
    return seen.idle and not any(seen.gaps.values()) and hears(sandbox)
