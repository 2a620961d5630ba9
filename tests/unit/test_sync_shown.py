"""What `sync --dry-run` shows of fields whose names may be personal data."""

from __future__ import annotations

import json

import pytest

from tasks.sync_preview import Difference, Preview
from workers.cli.sync import show

ANN = "of ann@example.com"


@pytest.mark.parametrize(("show_values", "name"), [(False, "?"), (True, ANN)])
def test_such_a_name_is_shown_with_the_values_alone(
    show_values: bool, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = Difference(name=ANN, change="changed", now="tin", would_be="gold")
    preview = Preview(contact_id="c-1", customer_id="c-1", differences=(changed,), left_out=())
    show(preview, show_values=show_values)
    assert json.loads(capsys.readouterr().out)["field"] == name
