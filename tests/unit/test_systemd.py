"""The systemd units: systemd takes them, their commands exist, and they leave time to end."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from tasks.apis.calls import Timeouts
from tasks.errors import SettingsError
from workers.cli.main import run

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "workers" / "deploy" / "systemd").glob("*.service"))

PROGRAM = "/opt/genesys-workers/bin/genesys-workers"

#: By systemd-analyze: 0.0 has no rights at all, 10.0 has all; in tenths.
EXPOSURE = 20

every_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)


def said(unit: Path, key: str) -> list[str]:
    """Return the values of a key, in their order."""
    return re.findall(rf"^{key}=(.*)$", unit.read_text("utf-8"), re.MULTILINE)


def analyze(unit: Path, folder: Path, *arguments: str, text: str | None = None) -> tuple[int, str]:
    """Let systemd look at a unit, or at other `text`, as if it were installed here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    copy = folder / unit.name
    text = (text or unit.read_text("utf-8")).replace(PROGRAM, sys.executable)
    copy.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", *arguments, copy], capture_output=True, text=True, check=False
    )
    # Units of this machine that it depends on may have faults of their own.
    told = [line for line in done.stderr.splitlines() if unit.name in line]
    return done.returncode, "\n".join(told)


def test_there_are_units_for_workers_and_for_the_bridge() -> None:
    assert [unit.name for unit in UNITS] == ["genesys-bridge.service", "genesys-worker@.service"]


@every_unit
def test_systemd_takes_a_unit_without_a_word(unit: Path, tmp_path: Path) -> None:
    assert analyze(unit, tmp_path, "verify") == (0, "")


@pytest.mark.parametrize(
    ("line", "wrong", "rule"),
    [
        ("KillMode=mixed", "KillMode=gentle", "kill mode"),
        ("ProtectSystem=strict", "ProtectSystm=strict", "ProtectSystm"),
        (f"ExecStart={PROGRAM}", "ExecStart=/no/such/program", "/no/such/program"),
    ],
)
def test_systemd_would_tell_of_a_mistake(line: str, wrong: str, rule: str, tmp_path: Path) -> None:
    text = UNITS[0].read_text("utf-8")
    assert line in text
    _, told = analyze(UNITS[0], tmp_path, "verify", text=text.replace(line, wrong))
    assert rule in told


@every_unit
def test_a_unit_exposes_little(unit: Path, tmp_path: Path) -> None:
    code, told = analyze(unit, tmp_path, "security", "--offline=yes", f"--threshold={EXPOSURE}")
    assert code == 0, told


@every_unit
def test_the_command_of_a_unit_exists(unit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ((program, *arguments),) = map(shlex.split, said(unit, "ExecStart"))
    assert program == PROGRAM
    assert run([*arguments, "--help"]) == 0
    assert arguments[0] in capsys.readouterr().out


@every_unit
def test_a_unit_ends_after_every_call_to_a_vendor_and_as_composes(unit: Path) -> None:
    (seconds,) = map(int, said(unit, "TimeoutStopSec"))
    timeouts = asdict(Timeouts())
    assert seconds > timeouts["connect"] + timeouts["token"] + max(timeouts.values())
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    assert f"stop_grace_period: {seconds}s" in compose


@every_unit
def test_a_unit_is_not_started_again_with_a_wrong_setting(unit: Path) -> None:
    assert said(unit, "Restart") == ["always"]
    assert said(unit, "RestartPreventExitStatus") == [str(SettingsError.exit_code)]


@every_unit
def test_a_unit_says_what_of_it_is_installed(unit: Path) -> None:
    assert f"install -m 644 {unit.name} /etc/systemd/system/" in unit.read_text("utf-8")


def test_two_workers_of_a_host_and_of_two_hosts_have_names_of_their_own() -> None:
    (command,) = said(next(unit for unit in UNITS if "@" in unit.name), "ExecStart")
    assert "--name %i@%H" in command
