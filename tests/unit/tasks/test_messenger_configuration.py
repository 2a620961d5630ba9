"""What of a configuration the platform contract carries, and over what it is laid."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.messenger_configuration import carry, not_carried, unseen
from tasks.webmessaging import WebMessaging
from tests.unit.tasks.test_webmessaging import CONFIG

TITLE, SUBTITLE = "MessengerHomeHeaderTitle", "MessengerHomeHeaderSubTitle"


def config(**changes: Any) -> WebMessaging:
    return WebMessaging.model_validate({**CONFIG, **changes})


def labels(language: str, **values: str) -> dict[str, Any]:
    shown = [{"key": key, "value": value} for key, value in values.items()]
    return {"language": language, "localizedLabels": shown}


def test_all_that_is_not_ours_stays() -> None:
    german = labels("de", **{TITLE: "Hallo"})
    english = labels("en-us", PushNotificationTitle="News", **{TITLE: "Old"})
    document = {
        "name": "Web",
        "defaultLanguage": "en-us",
        "messenger": {"styles": {"primaryColor": "#000", "other": 1}, "enabled": False},
        "customI18nLabels": [german, english],
    }
    carried = carry(config(greetings=["Hello!", "How are you?"]), document)
    assert carried == {
        **document,
        "messenger": {"styles": {"primaryColor": "#0055AA", "other": 1}, "enabled": False},
        "customI18nLabels": [
            german,
            labels(
                "en-us", PushNotificationTitle="News", **{TITLE: "Hello!", SUBTITLE: "How are you?"}
            ),
        ],
    }
    assert carry(config(greetings=["Hello!", "How are you?"]), carried) == carried


@pytest.mark.parametrize(
    ("document", "language"),
    [
        ({}, "en-us"),
        ({"languages": ["fr", "de"]}, "fr"),
        ({"languages": ["fr", "de"], "defaultLanguage": "de"}, "de"),
    ],
)
def test_greetings_are_in_the_language_that_is_shown_by_default(
    document: dict[str, Any], language: str
) -> None:
    carried = carry(config(), document)["customI18nLabels"]
    assert carried == [labels(language, **{TITLE: "Hello!"})]


def test_what_has_no_field_is_named_if_it_was_asked_for() -> None:
    asked = config(
        availability_rules=[], feature_flags={"typing": True}, greetings=["Hi", "you", "there"]
    )
    assert not_carried(asked) == [
        "config.font_size",
        "config.font_family",
        "config.feature_flags",
        "config.greetings.2",
    ]


@pytest.mark.parametrize(("enabled", "warnings"), [(True, 0), (False, 1)])
def test_greetings_that_no_home_screen_shows_are_a_warning(enabled: bool, warnings: int) -> None:
    assert len(unseen({"messenger": {"homeScreen": {"enabled": enabled}}})) == warnings
    assert len(unseen({})) == 1
