"""The alert rules of `workers/deploy/prometheus`, read as far as their own form goes.

That is the form in which `alerts.yml` is written: an item for each alert, its values on one line
or as a block after `|`. What is written otherwise is not found, and counts as missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_VALUE = re.compile(
    r"^ {8,10}(?P<name>\w+): (?:\|\n(?P<block>(?: {10,}.*\n|\n)+)|(?P<line>.*)\n)", re.MULTILINE
)


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One rule."""

    name: str
    expr: str
    severity: str
    summary: str
    description: str
    runbook: str


def alerts(path: Path) -> Iterator[Alert]:
    """Yield the rules of a file. Raises `KeyError` where one lacks something."""
    for item in path.read_text("utf-8").split("\n      - alert: ")[1:]:
        name, _, rest = item.partition("\n")
        values = {
            found["name"]: (found["block"] or found["line"]).strip().strip('"')
            for found in _VALUE.finditer(rest + "\n")
        }
        yield Alert(
            name=name,
            expr=values["expr"],
            severity=values["labels"].removeprefix("{severity: ").removesuffix("}"),
            summary=values["summary"],
            description=values["description"],
            runbook=values["runbook"],
        )
