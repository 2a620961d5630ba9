"""What a writer lost that replaced a whole document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def dropped(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """The paths of the fields that `old` has and `new` has not, however deep."""
    for name, value in old.items():
        if name not in new:
            yield name
        elif isinstance(value, Mapping):
            held = new[name] if isinstance(new[name], Mapping) else {}
            yield from (f"{name}.{below}" for below in dropped(value, held))
