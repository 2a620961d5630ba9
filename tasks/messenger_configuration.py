"""What the `platform` contract's web messaging configuration can carry of what a producer asks for.

Source: the vendor's Swagger definition `WebDeploymentConfigurationVersion`. It has a colour and the
labels of the home screen; typography, hours, free flags and audiences have no field there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, ValidationError

from tasks.apis.bodies import Body
from tasks.errors import Rejected
from tasks.refusals import explain
from tasks.webmessaging import WebMessaging, apply

#: The labels that show greetings, the first one first.
GREETING_LABELS = ("MessengerHomeHeaderTitle", "MessengerHomeHeaderSubTitle")
#: The language of the labels where a configuration names none.
LANGUAGE = "en-us"
#: Fields of ours for which the vendor has none.
FIELDLESS = (
    "background_color",
    "font_size",
    "font_family",
    "availability_rules",
    "feature_flags",
    "audience_segments",
)


class _Label(Body):
    key: str = ""


class _Labels(Body):
    language: str = ""
    localized_labels: list[_Label] = []


class _Messenger(Body):
    styles: dict[str, Any] = {}


class _Document(Body):
    """What our fields are laid over."""

    messenger: _Messenger = _Messenger()
    custom_labels: list[_Labels] = Field(default=[], alias="customI18nLabels")
    languages: list[str] = []
    default_language: str = ""


def carry(config: WebMessaging, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return `document` with our fields set, and all others as they are.

    Raises `Rejected` where it has another shape than the vendor's: what it means would be lost.
    """
    _check_readable(document)
    styled = apply({"messenger": {"styles": {"primaryColor": config.brand_color}}}, document)
    labels = _labels(config, document.get("customI18nLabels") or (), language(document))
    return {**styled, "customI18nLabels": labels}


def _check_readable(document: Mapping[str, Any]) -> None:
    try:
        _Document.model_validate(dict(document))
    except ValidationError as error:
        raise Rejected(f"configuration_id: it cannot be read: {explain(error)}") from None


def language(document: Mapping[str, Any]) -> str:
    """Return the language that a configuration's labels are shown in by default."""
    return str(document.get("defaultLanguage") or (document.get("languages") or [LANGUAGE])[0])


def _labels(
    config: WebMessaging, held: Sequence[Mapping[str, Any]], spoken: str
) -> list[Mapping[str, Any]]:
    """Return the labels of all languages, those of `spoken` with the greetings."""
    none: Mapping[str, Any] = {"language": spoken}
    kept = next((each for each in held if each.get("language") == spoken), none)
    ours = dict(zip(GREETING_LABELS, config.greetings, strict=False))
    theirs = {each.get("key"): each.get("value") for each in kept.get("localizedLabels") or ()}
    merged = [{"key": key, "value": value} for key, value in {**theirs, **ours}.items()]
    labelled = {**kept, "localizedLabels": merged}
    if kept in held:
        return [labelled if each is kept else each for each in held]
    return [*held, labelled]


def not_carried(config: WebMessaging) -> list[str]:
    """Return the fields, as the message names them, that reach no guest on this contract."""
    asked = config.model_dump(include=set(FIELDLESS), exclude_unset=True)
    given = [f"config.{name}" for name in FIELDLESS if asked.get(name)]
    unshown = range(len(GREETING_LABELS), len(config.greetings))
    return [*given, *(f"config.greetings.{number}" for number in unshown)]


def unseen(document: Mapping[str, Any]) -> list[str]:
    """Return what a configuration switches off that would show our fields."""
    if _mapping(_mapping(document.get("messenger")).get("homeScreen")).get("enabled"):
        return []
    return ["config.greetings: the configuration has its home screen, which shows them, off"]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
