"""What of a configuration the platform contract carries, and over what it is laid."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.errors import Rejected
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


ODD: tuple[Any, ...] = ("text", 7, True, ["text"], [None])


@pytest.mark.parametrize(
    ("document", "where"),
    [
        *(({"messenger": odd}, "messenger") for odd in ODD),
        *(({"messenger": {"styles": odd}}, "messenger.styles") for odd in ODD),
        *(({"customI18nLabels": odd}, "customI18nLabels") for odd in (*ODD, {"language": "de"})),
        ({"customI18nLabels": [{"language": ["de"]}]}, "customI18nLabels.0.language"),
        ({"customI18nLabels": [{"localizedLabels": 7}]}, "customI18nLabels.0.localizedLabels"),
        (
            {"customI18nLabels": [{"localizedLabels": [{"key": []}]}]},
            "customI18nLabels.0.localizedLabels.0.key",
        ),
        *(({"languages": odd}, "languages") for odd in ("text", 7, [None], {"en": 1})),
        ({"defaultLanguage": ["en"]}, "defaultLanguage"),
    ],
    ids=repr,
)
def test_over_a_shape_that_cannot_be_read_nothing_is_laid(
    document: dict[str, Any], where: str
) -> None:
    with pytest.raises(Rejected) as refused:
        carry(config(), document)
    said = str(refused.value)
    assert said.startswith(f"configuration_id: it cannot be read: {where}")
    assert "text" not in said


def test_a_null_is_as_good_as_no_field() -> None:
    nulls = dict.fromkeys(("messenger", "customI18nLabels", "languages", "defaultLanguage"))
    assert carry(config(), nulls) == {**nulls, **carry(config(), {})}
    styles = {"messenger": {"styles": None}}
    assert carry(config(), styles) == carry(config(), {})


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_home_screen_of_an_odd_shape_is_no_home_screen(odd: Any) -> None:
    documents = ({"messenger": odd}, {"messenger": {"homeScreen": odd}})
    assert [len(unseen(document)) for document in documents] == [1, 1]


@pytest.mark.parametrize(("enabled", "warnings"), [(True, 0), (False, 1)])
def test_greetings_that_no_home_screen_shows_are_a_warning(enabled: bool, warnings: int) -> None:
    assert len(unseen({"messenger": {"homeScreen": {"enabled": enabled}}})) == warnings
    assert len(unseen({})) == 1
