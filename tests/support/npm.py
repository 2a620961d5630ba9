"""What tests install with npm, into a folder that goes with them.

Tests that need it are skipped, with the reason, where there is no Node.js or npm, and where no
registry answers. Whatever else goes wrong fails them: `tests/support/node/package.json` and its
lock file name what has to be there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = Path(__file__).with_name("node")

#: npm's own words for a registry that gave no answer.
NO_ANSWER = re.compile(
    r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH"
    r"|ERR_SOCKET_TIMEOUT|E407|E50[0-4])\b"
)


def install(folder: Path) -> Path:
    """Install the packages in `folder` and return their place, or skip the test."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    for each in PACKAGES.iterdir():
        shutil.copy(each, folder)
    # No script of a package is run, and what is in npm's cache is not asked for again.
    options = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--fetch-retries=1"]
    done = subprocess.run(
        ["npm", "ci", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode and (found := NO_ANSWER.search(done.stderr)):
        pytest.skip(f"no npm registry answers: {found[0]}")
    assert done.returncode == 0, done.stderr
    return folder / "node_modules"


@pytest.fixture(scope="module")
def npm_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed packages."""
    return install(tmp_path_factory.mktemp("node"))
