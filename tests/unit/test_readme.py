"""The README says what the code does: its tables, commands, files and variables exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tasks.messages import PUBLIC, MergeAndSync, MergeProfiles
from workers import policy_table
from workers.limits.rates import DEFAULT_RATES, format_rate
from workers.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_appendix_is_the_policy_in_force() -> None:
    shown = README.partition("<!-- policy -->\n")[2].partition("\n<!-- /policy -->")[0]
    assert shown == policy_table.markdown()


@pytest.mark.parametrize("task", PUBLIC)
def test_every_message_stands_in_the_table_with_its_queue_rate_and_arguments(task: str) -> None:
    (row,) = re.findall(rf"^\| `{task}` \|.*$", README, re.MULTILINE)
    model = PUBLIC[task]
    assert f"`{model.queue}`, {format_rate(DEFAULT_RATES[model.queue])}" in row
    for name, field in model.model_fields.items():
        if field.is_required():
            told_above = model is MergeAndSync and name in MergeProfiles.model_fields
            assert f"`{name}" in row or (told_above and "the same" in row)


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:tests|workers)/[\w/]+\.py)`", README)))
)
def test_every_file_that_is_named_exists(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize(
    "variable", sorted(set(re.findall(r"^\| `([A-Z_]+?)(?:__…)?`", README, re.M)))
)
def test_every_variable_that_is_named_is_a_setting(variable: str) -> None:
    assert variable.lower() in Settings.model_fields
