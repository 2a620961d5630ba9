"""Lists that are read from cursor to cursor."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.apis.calls import Call
from tasks.apis.genesys_platform.cursors import CursorPage, read_to_end
from tasks.errors import OutcomeUnknown
from tests.integration.seams import http

CALL = Call(method="GET", route="/things", needs="things:view")


def pages(following: dict[str, str]) -> Callable[[str], CursorPage[str]]:
    """Read pages of one item each, named after their cursor."""
    return lambda cursor: CursorPage(call=CALL, items=[f"at {cursor}"], after=following[cursor])


def test_pages_are_read_until_there_is_no_cursor() -> None:
    read = pages({"": "b", "b": "a", "a": ""})
    assert list(read_to_end(http("http://unused"), read)) == ["at ", "at b", "at a"]


@pytest.mark.parametrize("following", [{"": "a", "a": "a"}, {"": "a", "a": "b", "b": "a"}])
def test_a_cursor_that_comes_back_is_an_error_and_no_endless_list(
    following: dict[str, str],
) -> None:
    with pytest.raises(OutcomeUnknown, match="brings nothing new"):
        list(read_to_end(http("http://unused"), pages(following)))
