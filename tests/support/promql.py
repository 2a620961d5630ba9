"""What a PromQL expression asks for: metrics, and the labels it chooses and groups by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_STRING = re.compile(r'"(?:\\.|[^"\\])*"')
_RANGE = re.compile(r"\[[^\]]*\]")
_SELECTOR = re.compile(r"([A-Za-z_:][\w:]*)\s*\{([^}]*)\}")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_NAME = re.compile(r"(?<![\w$.])[A-Za-z_:][\w:]*(?!\s*\()(?![\w:])")

_WORDS = {"and", "or", "unless", "bool", "offset"}


def metrics(expression: str) -> set[str]:
    """Return the names of the metrics that are asked for."""
    bare = _RANGE.sub("", _STRING.sub('""', expression))
    bare = _GROUPING.sub("", _SELECTOR.sub(r"\1", bare))
    return {name for name in _NAME.findall(bare) if name not in _WORDS}


def chosen(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each metric that is chosen by labels, with those."""
    for name, matchers in _SELECTOR.findall(_STRING.sub('""', expression)):
        yield name, set(_MATCHER.findall(matchers))


def grouped(expression: str) -> set[str]:
    """Return the labels that are grouped or joined by."""
    lists = _GROUPING.findall(_STRING.sub('""', expression))
    return {label.strip() for each in lists for label in each.split(",") if label.strip()}


def values(expression: str, label: str) -> set[str]:
    """Return the values that `label` is held equal to."""
    return set(re.findall(rf'\b{label}="([^"]*)"', expression))


def families(text: str) -> Mapping[str, str]:
    """Return the type of each metric that an exposition tells of, samples or none."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


def series(text: str) -> set[str]:
    """Return the names that can be asked for, of everything an exposition tells of."""
    names = set()
    for name, kind in families(text).items():
        names |= (
            {f"{name}_{part}" for part in ("bucket", "sum", "count")}
            if (kind == "histogram")
            else {name}
        )
    return names
