"""The demonstration as a user runs it: what it proves, and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.cluster import wait_until

pytestmark = pytest.mark.slow

#: Seconds until it has ended, and in which it ends when it is asked to, on a machine that is busy.
LONG, SOON = 300, 60

DEMO = [sys.executable, "-m", "workers.cli", "demo", "--messages", "60"]


@contextmanager
def demo(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Start the demonstration, its output in `folder/out`, its files below `folder`."""
    with (folder / "out").open("w") as out:
        process = subprocess.Popen(
            [*DEMO, *options],
            stdout=out,
            stderr=out,
            env={**os.environ, "TMPDIR": str(folder), "GENESYS_API_URL": "http://elsewhere"},
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def said(folder: Path) -> str:
    return (folder / "out").read_text()


def children(folder: Path) -> list[int]:
    """Return the processes that work below `folder`: the demonstration's children."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            inside = entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(folder)
        except OSError:
            continue
        if inside:
            found.append(int(entry.name))
    return found


def check(output: str) -> None:
    """See that it has proved what it is there to prove."""
    assert "messages are accounted for" in output
    assert re.search(r"accounted for, [1-9]\d* of them from events", output)
    # The sockets of both tenants were cut, and what ended meanwhile was found.
    assert re.search(r"bridge: .*, 2 × gap, .*, [1-9]\d* × message of them from gaps", output)
    assert "rates: attributes=" in output


def test_everything_is_accounted_for_and_nothing_stays_behind(tmp_path: Path) -> None:
    with demo(tmp_path, "--redis", "fakeredis") as process:
        code = process.wait(LONG)
    output = said(tmp_path)
    assert code == 0, output
    check(output)
    assert children(tmp_path) == []
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("while_", ["Redis: ", "ended: "], ids=["starting", "running"])
def test_ctrl_c_ends_everything_it_started(tmp_path: Path, while_: str) -> None:
    with demo(tmp_path) as process:
        wait_until(lambda: while_ in said(tmp_path), LONG, while_)
        wait_until(lambda: children(tmp_path), SOON, "it has children")
        process.send_signal(signal.SIGINT)
        assert process.wait(SOON) == 130
    assert children(tmp_path) == []
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_no_orphan_survives_a_killed_demonstration(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        wait_until(lambda: "ended: " in said(tmp_path), LONG, "it is running")
        process.kill()
        process.wait(10)
        wait_until(lambda: not children(tmp_path), SOON, "all children have ended")


def test_kept_it_can_be_looked_at_until_ctrl_c(tmp_path: Path) -> None:
    with demo(tmp_path, "--redis", "wheel", "--keep") as process:
        wait_until(lambda: "Ctrl-C ends all of it." in said(tmp_path), LONG, "it is kept")
        check(said(tmp_path))
        (folder,) = (entry for entry in tmp_path.iterdir() if entry.is_dir())
        look = [sys.executable, "-m", "workers.cli", "audit", "tail", "-n", "3"]
        tail = subprocess.run(look, cwd=folder, capture_output=True, text=True, check=True)
        assert tail.stdout.count("\n") == 6
        process.send_signal(signal.SIGINT)
        assert process.wait(SOON) == 0
    assert children(tmp_path) == []
