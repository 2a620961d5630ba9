"""What a person has allowed, by the flags of a Cognigy profile."""

from __future__ import annotations

from collections.abc import Mapping


def objection(profile: Mapping[str, object]) -> str:
    """Return why the profile must not be written, "" where nothing speaks against it.

    A flag that is not set says nothing. Names are compared without case, as the vendor does.
    """
    flags = {name.lower(): value for name, value in profile.items()}
    if _says(flags.get("prevent_data_collection"), "true"):
        return "prevent_data_collection is set"
    if _says(flags.get("accepted_gdpr"), "false"):
        return "accepted_gdpr is not given"
    return ""


def _says(flag: object, word: str) -> bool:
    """Read a YesNo, also one that came as text."""
    return isinstance(flag, bool | str) and str(flag).lower() == word
