"""Runs one command and ends it as soon as the pipe on standard input closes.

Whoever starts this holds the other end of the pipe, so that the command ends with its starter,
even where that was killed and could do nothing any more. Run as a file, with the standard library
only: `leash.py GRACE COMMAND…`. It has to lead a process group of its own; the group is asked to
end (TERM), and after GRACE seconds made to (KILL).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time


def main(grace: float, command: list[str]) -> int:
    """Run `command` until it ends or the pipe closes, and return its exit code."""
    # A handler, not SIG_IGN: the command would inherit that.
    signal.signal(signal.SIGTERM, lambda *_: None)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  # its purpose
    threading.Thread(target=_hold, args=(grace,), daemon=True).start()
    code = process.wait()
    os.killpg(0, signal.SIGTERM)
    return code if code >= 0 else 128 - code


def _hold(grace: float) -> None:
    """Wait for the pipe to close, then end the whole group, this process included."""
    # Not sys.stdin: a reader of it that waits would trouble the interpreter's shutdown.
    while os.read(0, 64):
        pass
    os.killpg(0, signal.SIGTERM)
    time.sleep(grace)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
