"""What the command `rollback` says of what was done."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from workers.cli import rollback

PLAN = {"deployment": "d-1", "from": "c-1:2", "to": "c-1:1", "operation_id": "o-1"}


def result(status: str, release: str, previous: str | None) -> dict[str, Any]:
    detail = {"deployment_id": "d-1", "release": release, "previous": previous}
    return {"status": status, "detail": detail}


@pytest.mark.parametrize(
    ("ended", "line"),
    [
        (result("done", "c-1:1", "c-1:2"), "d-1: from c-1:2 to c-1:1, done"),
        (result("done", "c-1:2", "c-1:3"), "d-1: from c-1:3 to c-1:2, done"),
        (result("noop", "c-1:1", None), "d-1: it had c-1:1 already, nothing had to be done"),
    ],
)
def test_what_was_done_is_said_whatever_was_planned(
    ended: dict[str, Any], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(rollback, "out", Console(file=shown, force_terminal=True, width=20))
    rollback.say({**PLAN, **rollback.what_was_done(ended)})
    assert shown.getvalue() == f"{line}\n"


def test_a_release_that_it_had_already_is_where_it_comes_from_too() -> None:
    already = rollback.what_was_done(result("noop", "c-1:1", None))
    assert already == {"from": "c-1:1", "to": "c-1:1", "status": "noop"}
