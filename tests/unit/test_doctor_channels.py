"""What the doctor says of a kind of topics, by what the client turns out to lack."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.apis.calls import Call
from tasks.apis.notifications import AvailableTopic
from workers.doctor.channels import permitted
from workers.doctor.probe import Prober

READ = Call(method="GET", route="/read", needs="a:b:read")
VIEW = Call(method="GET", route="/view", needs="a:b:view")


def prober(*lacking: Call) -> Prober:
    """Return a prober that knows what the client lacks, without asking."""
    http: Any = None
    answers = {
        (call.method, call.route): call.needs if call in lacking else "" for call in (READ, VIEW)
    }
    return Prober(http=http, remedy="give a role", _answers=answers)


@pytest.mark.parametrize(
    ("permissions", "lacking", "state", "what"),
    [
        (["a:b:read"], [], "ok", "v2.a.{id} (2): held: a:b:read"),
        ([], [], "ok", "v2.a.{id} (2): held: nothing"),
        (["a:b:read"], [READ], "bad", "v2.a.{id} (2): missing: a:b:read"),
        (["a:b:read", "a:b:view"], [READ, VIEW], "bad", "missing: a:b:read, a:b:view"),
        (["a:b:read", "a:b:view"], [VIEW], "warn", "missing: a:b:view"),
        (["a:b:write"], [], "warn", "v2.a.{id} (2): cannot be asked: a:b:write"),
        (["a:b:read", "a:b:write"], [], "warn", "cannot be asked: a:b:write"),
        (["a:b:read", "a:b:write"], [READ], "warn", "missing: a:b:read"),
    ],
)
def test_what_is_lacking_is_named(
    permissions: list[str], lacking: list[Call], state: str, what: str
) -> None:
    kind = AvailableTopic(template="v2.a.{id}", permissions=tuple(permissions))
    finding = permitted(kind, 2, prober(*lacking), [READ, VIEW])
    assert finding.state == state
    assert what in finding.what
    assert bool(finding.remedy) == (state != "ok")


def test_where_nothing_can_be_asked_it_is_told_what_a_topic_asks_for() -> None:
    kind = AvailableTopic(template="v2.a.{id}", permissions=("a:b:read",))
    finding = permitted(kind, 1, prober(), [])
    assert finding.state == "ok"
    assert finding.what.endswith("it asks for a:b:read")
