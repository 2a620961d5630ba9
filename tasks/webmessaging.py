"""A web messaging configuration: what a producer asks for, checked, and the vendor's document.

The document and its limits are those of the integration guide "Deploy web messaging configuration";
the contrast is that of WCAG 2.1 (success criterion 1.4.3, level AA).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

MIN_CONTRAST = 4.5
#: How far a declared contrast ratio may be from the computed one: it is given to one decimal.
CONTRAST_TOLERANCE = 0.05
GREETING_DELAY_MS = 2000
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_COLOR = re.compile(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_FAMILY = re.compile(r"[A-Za-z0-9 ,'\"._-]{1,200}")


def _color(value: str) -> str:
    if not _COLOR.fullmatch(value):
        raise PydanticCustomError("color", "must be a colour like #RGB or #RRGGBB")
    return value


def _time(value: str) -> str:
    if not _TIME.fullmatch(value):
        raise PydanticCustomError("time", "must be a time like 09:30, from 00:00 to 23:59")
    return value


def _day(value: str) -> str:
    if value.lower() not in DAYS:
        raise PydanticCustomError("day", "must be a weekday: monday to sunday")
    return value


def _family(value: str) -> str:
    if not _FAMILY.fullmatch(value):
        raise PydanticCustomError("family", "must be 1 to 200 letters, digits or , . ' \" _ -")
    return value


def _in_one_line(value: object, check: ValidatorFunctionWrapHandler) -> Any:
    """Pydantic would report each branch of the union."""
    try:
        return check(value)
    except ValidationError:
        raise PydanticCustomError(
            "flags", "must map names to true or false, or be a list of names"
        ) from None


def _pattern(text: str) -> Any:
    """Show in the JSON Schema what a validator of ours checks."""
    return Field(json_schema_extra={"pattern": f"^(?:{text})$"})


def _either_spelling(schema: dict[str, Any]) -> None:
    """Allow each field of a rule in our spelling or in the vendor's, and ask for one of them."""
    spellings = [(name, to_camel(name)) for name in schema.pop("required")]
    for ours, theirs in spellings:
        schema["properties"][theirs] = schema["properties"][ours]
    schema["allOf"] = [{"oneOf": [{"required": [name]} for name in either]} for either in spellings]


_ANY_DAY = "|".join("".join(f"[{c.upper()}{c}]" for c in day) for day in DAYS)

Color = Annotated[str, AfterValidator(_color), _pattern(_COLOR.pattern)]
Time = Annotated[str, AfterValidator(_time), _pattern(_TIME.pattern)]
Day = Annotated[str, AfterValidator(_day), _pattern(_ANY_DAY)]
Family = Annotated[str, AfterValidator(_family), _pattern(_FAMILY.pattern)]
Name = Annotated[str, Field(min_length=1, max_length=128)]
Greeting = Annotated[str, Field(min_length=1, max_length=150)]
Flags = Annotated[dict[Name, bool] | list[Name], WrapValidator(_in_one_line)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class AvailabilityRule(_Part):
    """Hours of one weekday; the vendor's spelling of the fields is taken too."""

    model_config = ConfigDict(json_schema_extra=_either_spelling)

    day_of_week: Day = Field(validation_alias=AliasChoices("day_of_week", "dayOfWeek"))
    start_time: Time = Field(validation_alias=AliasChoices("start_time", "startTime"))
    end_time: Time = Field(validation_alias=AliasChoices("end_time", "endTime"))

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> Self:
        if self.start_time >= self.end_time:
            raise PydanticCustomError("hours", "start_time must be before end_time")
        return self


def _without_overlaps(rules: list[AvailabilityRule]) -> list[AvailabilityRule]:
    ordered = sorted(rules, key=lambda rule: (rule.day_of_week.lower(), rule.start_time))
    for one, following in pairwise(ordered):
        same_day = one.day_of_week.lower() == following.day_of_week.lower()
        if same_day and following.start_time < one.end_time:
            raise PydanticCustomError("overlap", "hours of the same day must not overlap")
    return rules


class WebMessaging(_Part):
    """What the web messenger shall look like, say and offer, and when."""

    brand_color: Color
    background_color: Color = "#FFFFFF"
    #: What the producer believes the contrast of the two colours to be; the computed one decides.
    contrast_ratio: Annotated[float, Field(ge=1, le=21, allow_inf_nan=False)] | None = None
    #: In pixels.
    font_size: Annotated[int, Field(ge=14, le=24)]
    font_family: Family
    greetings: Annotated[list[Greeting], Field(min_length=1, max_length=3)]
    availability_rules: Annotated[list[AvailabilityRule], AfterValidator(_without_overlaps)]
    feature_flags: Flags = {}
    audience_segments: list[Name] = []

    @model_validator(mode="after")
    def _is_legible(self) -> Self:
        if self.contrast < MIN_CONTRAST:
            raise PydanticCustomError(
                "contrast",
                "brand_color and background_color have a contrast of {ratio}, at least 4.5 is"
                " required",
                {"ratio": f"{self.contrast:.2f}"},
            )
        return self

    @property
    def contrast(self) -> float:
        """The contrast ratio of the two colours, 1 to 21."""
        return contrast(self.brand_color, self.background_color)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (`#RGB` or `#RRGGBB`), 1 to 21, by WCAG 2.1."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(digit * 2 for digit in color[1:])
    red, green, blue = (_linear(int(digits[at : at + 2], 16) / 255) for at in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return float(channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4)


def rounded_contrast(config: WebMessaging) -> Decimal:
    """Return the computed contrast ratio as it is sent, to two decimals."""
    return Decimal(f"{config.contrast:.2f}")


def warnings(config: WebMessaging) -> list[str]:
    """Return what is odd about the configuration, though it may be deployed."""
    declared = config.contrast_ratio
    if declared is None or abs(declared - config.contrast) <= CONTRAST_TOLERANCE:
        return []
    return [f"config.contrast_ratio: declared {declared:g}, computed {rounded_contrast(config)}"]


def payload(config: WebMessaging) -> dict[str, Any]:
    """Return the fields of the vendor's document that this project owns."""
    return {
        "widget": {
            "theme": {
                "colors": {"primary": config.brand_color, "background": config.background_color},
                "typography": {
                    "fontSize": f"{config.font_size}px",
                    "fontFamily": config.font_family,
                },
            },
            "accessibility": {
                "wcagLevel": "AA",
                "contrastRatio": rounded_contrast(config),
                "ariaLiveRegion": "polite",
            },
        },
        "greetings": {
            "enabled": True,
            "messages": list(config.greetings),
            "delayMs": GREETING_DELAY_MS,
        },
        "availability": _availability(config),
        "features": {
            "flags": config.feature_flags,
            "audiences": list(config.audience_segments),
            "dynamicRouting": bool(config.audience_segments),
        },
    }


def _availability(config: WebMessaging) -> dict[str, Literal["custom"] | list[dict[str, str]]]:
    rules = [
        {"dayOfWeek": rule.day_of_week, "startTime": rule.start_time, "endTime": rule.end_time}
        for rule in config.availability_rules
    ]
    return {"schedule": "custom", "rules": rules}


def apply(ours: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """Return `current` with our fields set: maps are merged, everything else is replaced."""
    merged = dict(current)
    for name, value in ours.items():
        merged[name] = _applied(value, merged.get(name))
    return merged


def _applied(ours: Any, held: Any) -> Any:
    return apply(ours, held) if isinstance(ours, Mapping) and isinstance(held, Mapping) else ours
