"""What a configuration may hold, and the document it becomes."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.errors import Rejected
from tasks.messages import DeployConfig, parse
from tasks.webmessaging import WebMessaging, apply, contrast, payload, warnings

MONDAY = {"day_of_week": "Monday", "start_time": "09:00", "end_time": "17:00"}
CONFIG: dict[str, Any] = {
    "brand_color": "#0055AA",
    "font_size": 16,
    "font_family": "Inter, sans-serif",
    "greetings": ["Hello!"],
    "availability_rules": [MONDAY],
    "feature_flags": {},
    "audience_segments": [],
}


def deploy(**changes: Any) -> DeployConfig:
    arguments = {"organization_ids": ["org-1"], "config": {**CONFIG, **changes}}
    return parse(DeployConfig, arguments)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"brand_color": "#12345"}, "config.brand_color: must be a colour like #RGB or #RRGGBB"),
        ({"brand_color": "blue"}, "config.brand_color: must be a colour like #RGB or #RRGGBB"),
        ({"brand_color": "#0055AA\n"}, "config.brand_color: must be a colour like"),
        ({"background_color": "#GGG"}, "config.background_color: must be a colour like"),
        ({"brand_color": "#FFFF00"}, "config: brand_color and background_color have a contrast of"),
        ({"font_size": 13}, "config.font_size: Input should be greater than or equal to 14"),
        ({"font_size": 25}, "config.font_size: Input should be less than or equal to 24"),
        ({"font_size": "16px"}, "config.font_size: Input should be a valid integer"),
        ({"font_family": "x;}body{"}, "config.font_family: must be 1 to 200 letters"),
        ({"greetings": []}, "config.greetings: List should have at least 1 item"),
        ({"greetings": ["a"] * 4}, "config.greetings: List should have at most 3 items"),
        ({"greetings": ["a" * 151]}, "config.greetings.0: String should have at most 150"),
        ({"greetings": [""]}, "config.greetings.0: String should have at least 1"),
        ({"greetings": ["\ud800"]}, "config.greetings.0: "),
        (
            {"availability_rules": [{**MONDAY, "day_of_week": "Moonday"}]},
            "config.availability_rules.0.day_of_week: must be a weekday: monday to sunday",
        ),
        (
            {"availability_rules": [{**MONDAY, "end_time": "08:00"}]},
            "config.availability_rules.0: start_time must be before end_time",
        ),
        (
            {"availability_rules": [{**MONDAY, "end_time": "25:00"}]},
            "config.availability_rules.0.end_time: must be a time like 09:30",
        ),
        (
            {
                "availability_rules": [
                    MONDAY,
                    {**MONDAY, "start_time": "16:59", "end_time": "18:00"},
                ]
            },
            "config.availability_rules: hours of the same day must not overlap",
        ),
        ({"feature_flags": {"a": "yes"}}, "config.feature_flags: must map names to true or false"),
        ({"contrast_ratio": float("nan")}, "config.contrast_ratio: "),
        ({"colour": "#000"}, "config.colour: is not a known field"),
    ],
)
def test_bad_configurations_are_refused_in_one_line(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(Rejected) as refused:
        deploy(**changes)
    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"organization_ids": []}, "organization_ids: List should have at least 1 item"),
        ({"organization_ids": ["a", "a"]}, "organization_ids: must not name the same id twice"),
        ({"organization_ids": ["../x"]}, "organization_ids.0: must be 1 to 128 letters"),
        ({}, "organization_ids: is required, or deployment_id together with configuration_id"),
        ({"deployment_id": "d"}, "organization_ids: is required, or deployment_id together"),
        (
            {"organization_ids": ["a"], "deployment_id": "d", "configuration_id": "c"},
            "organization_ids: must not be given with deployment_id",
        ),
        (
            {"organization_ids": ["a"], "replicate": True},
            "replicate: needs at least two organization_ids",
        ),
        (
            {
                "organization_ids": ["a"],
                "audit_window": {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
            },
            "audit_window: start must be before end",
        ),
    ],
)
def test_bad_places_are_refused_in_one_line(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(Rejected) as refused:
        parse(DeployConfig, {"config": CONFIG, **changes})
    assert str(refused.value).startswith(line)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#FFFFFF", 21.0),
        ("#FFF", "#FFFFFF", 1.0),
        ("#777777", "#FFFFFF", 4.48),
        ("#767676", "#FFF", 4.54),
        ("#FFFFFF", "#0055AA", 7.29),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(other, one) == contrast(one, other)


def test_a_contrast_just_below_the_limit_is_not_rounded_up() -> None:
    with pytest.raises(Rejected, match=r"a contrast of 4\.48, at least 4\.5"):
        deploy(brand_color="#777777")


def test_a_declared_contrast_that_disagrees_is_a_warning_with_both_figures() -> None:
    config = deploy(contrast_ratio=9.9).config
    assert warnings(config) == ["config.contrast_ratio: declared 9.9, computed 7.29"]
    assert str(payload(config)["widget"]["accessibility"]["contrastRatio"]) == "7.29"


@pytest.mark.parametrize("declared", [7.3, 7.29, None])
def test_a_declared_contrast_that_agrees_is_none(declared: float | None) -> None:
    assert warnings(deploy(contrast_ratio=declared).config) == []


def test_the_document_has_the_vendors_shape() -> None:
    config = WebMessaging.model_validate({**CONFIG, "audience_segments": ["vip"]})
    document = payload(config)
    assert document["widget"]["theme"] == {
        "colors": {"primary": "#0055AA", "background": "#FFFFFF"},
        "typography": {"fontSize": "16px", "fontFamily": "Inter, sans-serif"},
    }
    assert document["greetings"] == {"enabled": True, "messages": ["Hello!"], "delayMs": 2000}
    assert document["availability"] == {
        "schedule": "custom",
        "rules": [{"dayOfWeek": "Monday", "startTime": "09:00", "endTime": "17:00"}],
    }
    assert document["features"] == {"flags": {}, "audiences": ["vip"], "dynamicRouting": True}


def test_the_vendors_spelling_of_hours_is_taken() -> None:
    vendors = {"dayOfWeek": "Monday", "startTime": "09:00", "endTime": "17:00"}
    assert deploy(availability_rules=[vendors]) == deploy(availability_rules=[MONDAY])


def test_hours_that_touch_do_not_overlap() -> None:
    evening = {**MONDAY, "start_time": "17:00", "end_time": "20:00"}
    assert len(deploy(availability_rules=[evening, MONDAY]).config.availability_rules) == 2


def test_a_message_survives_its_way_over_the_queue() -> None:
    sent = deploy(feature_flags=["beta"])
    assert parse(DeployConfig, sent.arguments()) == sent


def test_fields_of_others_survive_beside_ours() -> None:
    current = {"a": {"ours": 1, "theirs": [1]}, "theirs": {"x": None}, "list": [1, 2]}
    applied = apply({"a": {"ours": 2}, "list": [3]}, current)
    assert applied == {"a": {"ours": 2, "theirs": [1]}, "theirs": {"x": None}, "list": [3]}
    assert current["list"] == [1, 2]
