"""The targets on public development data, which are no part of the project."""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[4] / "shared" / "redaction"


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The scorer's result on all data as one set."""
    scorer, data = SHARED / "score.py", sorted((SHARED / "dev").glob("*.jsonl"))
    if not (scorer.exists() and data):
        pytest.skip("the development data are not in ../shared/redaction")
    folder = tmp_path_factory.mktemp("pooled")
    texts = "".join(file.read_text(encoding="utf-8") for file in data)
    (folder / "all.jsonl").write_text(texts, encoding="utf-8")
    result = folder / "result.json"
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
        arguments = ["--data", str(folder), "--json", str(result), "tasks=tasks.pii:redact!"]
        patch.setattr(sys, "argv", [str(scorer), *arguments])
        patch.setattr(sys, "path", [*sys.path])
        runpy.run_path(str(scorer), run_name="__main__")
    scored: dict[str, Any] = json.loads(result.read_text())["tasks"]["all"]
    return scored


@pytest.mark.parametrize(
    ("measure", "least"),
    [("recall", 0.975), ("precision_any", 0.97), ("F2", 0.97), ("precision_char", 0.97)],
)
def test_a_target_is_met(pooled: dict[str, Any], measure: str, least: float) -> None:
    assert pooled[measure] >= least
