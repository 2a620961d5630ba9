"""The rules a web messaging configuration has to keep, field by field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeGuard

from workers.sandbox.contrast import contrast

COLORS = ("primary", "background")
CONTRAST = (Decimal("4.5"), 21)
#: How far a declared contrast may be from that of the two colours.
CONTRAST_TOLERANCE = 0.05
FONT_PIXELS = (14, 24)
MOST_GREETINGS = 3
LONGEST_GREETING = 150
#: Accepted in any case: the guides do not say how they are written.
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_COLOR = re.compile(r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
_PIXELS = re.compile(r"(\d{1,3})px")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One broken rule; `message` quotes the value, as the real one's does."""

    field: str
    code: str
    message: str


def problems(document: Mapping[str, Any]) -> list[Problem]:
    """Every rule that the document breaks; fields that are not named here are free."""
    checks = (_colors, _contrast, _font, _greetings, _rules, _others)
    return [problem for check in checks for problem in check(document)]


def _colors(document: Mapping[str, Any]) -> Iterator[Problem]:
    for name in COLORS:
        field = f"widget.theme.colors.{name}"
        value = _at(document, field)
        if not _is_color(value):
            message = f"'{value}' is not #RGB or #RRGGBB"
            yield Problem(field=field, code="color.invalid", message=message)


def _contrast(document: Mapping[str, Any]) -> Iterator[Problem]:
    field = "widget.accessibility.contrastRatio"
    value = _at(document, field)
    low, high = CONTRAST
    if not _is_number(value) or not low <= value <= high:
        message = f"'{value}' is not a number from {low} to {high}"
        yield Problem(field=field, code="contrast.out.of.range", message=message)
        return
    one, other = (_at(document, f"widget.theme.colors.{name}") for name in COLORS)
    if not (_is_color(one) and _is_color(other)):
        return
    computed = contrast(one, other)
    if abs(float(value) - computed) > CONTRAST_TOLERANCE:
        message = f"'{value}' is not the contrast of the colours, {computed:.2f}"
        yield Problem(field=field, code="contrast.mismatch", message=message)


def _font(document: Mapping[str, Any]) -> Iterator[Problem]:
    field = "widget.theme.typography.fontSize"
    value = _at(document, field)
    low, high = FONT_PIXELS
    pixels = _PIXELS.fullmatch(value) if isinstance(value, str) else None
    if pixels is None or not low <= int(pixels[1]) <= high:
        message = f"'{value}' is not a size from {low}px to {high}px"
        yield Problem(field=field, code="font.size.invalid", message=message)


def _greetings(document: Mapping[str, Any]) -> Iterator[Problem]:
    field = "greetings.messages"
    greetings = _at(document, field)
    if not isinstance(greetings, list) or not 1 <= len(greetings) <= MOST_GREETINGS:
        message = f"must hold from 1 to {MOST_GREETINGS} greetings"
        yield Problem(field=field, code="greetings.count", message=message)
        return
    for index, text in enumerate(greetings):
        if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_GREETING:
            message = f"'{text}' has not from 1 to {LONGEST_GREETING} characters"
            yield Problem(field=f"{field}[{index}]", code="greeting.length", message=message)


def _rules(document: Mapping[str, Any]) -> Iterator[Problem]:
    field = "availability.rules"
    rules = _at(document, field)
    if not isinstance(rules, list):
        yield Problem(field=field, code="rules.missing", message="must be a list")
        return
    spans: list[tuple[str, str, str]] = []
    for index, rule in enumerate(rules):
        problem = _rule(f"{field}[{index}]", rule, spans)
        if problem is not None:
            yield problem


def _rule(field: str, rule: Any, spans: list[tuple[str, str, str]]) -> Problem | None:
    """Check one rule against those before it, and add it to them when it is valid."""
    held = rule if isinstance(rule, dict) else {}
    day, start, end = (held.get(name) for name in ("dayOfWeek", "startTime", "endTime"))
    if not isinstance(day, str) or day.lower() not in DAYS:
        message = f"'{day}' is not a day of the week"
        return Problem(field=f"{field}.dayOfWeek", code="rule.day.invalid", message=message)
    if not (_is_time(start) and _is_time(end) and start < end):
        message = f"'{start}' to '{end}' is not a span of hh:mm times"
        return Problem(field=field, code="rule.time.invalid", message=message)
    if any(day.lower() == d and start < e and s < end for d, s, e in spans):
        message = f"'{start}' to '{end}' overlaps another rule of the day"
        return Problem(field=field, code="rule.overlap", message=message)
    spans.append((day.lower(), start, end))
    return None


def _others(document: Mapping[str, Any]) -> Iterator[Problem]:
    for field, (holds, rule) in _OTHERS.items():
        value = _at(document, field)
        if not holds(value):
            message = f"'{value}' is not {rule}"
            yield Problem(field=field, code="value.invalid", message=message)


def _at(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _is_color(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _COLOR.fullmatch(value) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _is_time(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool)


def _is_delay(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


#: The guide's fields that have no rule beyond their shape.
_OTHERS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "widget.theme.typography.fontFamily": (_is_text, "a name"),
    "widget.accessibility.wcagLevel": (lambda value: value in ("AA", "AAA"), "AA or AAA"),
    "widget.accessibility.ariaLiveRegion": (
        lambda value: value in ("off", "polite", "assertive"),
        "off, polite or assertive",
    ),
    "greetings.enabled": (_is_truth, "true or false"),
    "greetings.delayMs": (_is_delay, "a whole number of milliseconds"),
    "availability.schedule": (_is_text, "a name"),
    "features.flags": (lambda value: isinstance(value, (dict, list)), "an object or a list"),
    "features.audiences": (lambda value: isinstance(value, list), "a list"),
    "features.dynamicRouting": (_is_truth, "true or false"),
}
