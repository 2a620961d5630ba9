"""docker-compose.yml as Compose reads it: anchors merged, variables filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
DEPLOY = ROOT / "workers" / "deploy"

_VARIABLE = re.compile(r"\$(?:\$|(?P<bare>\w+)|\{(?P<braced>(?:[^{}]|\{[^{}]*\})*)\})")
_BRACED = re.compile(r"(?P<name>\w+)(?:(?P<operator>:?[-+?])(?P<rest>.*))?")
_SECONDS = {"s": 1, "m": 60, "h": 3_600}


class Missing(Exception):
    """Raised where a variable is missing without which Compose does not start."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service; `variables` are those of `.env`, from which its own environment is made."""

    name: str
    about: Mapping[str, Any]
    variables: Mapping[str, str]

    @property
    def command(self) -> list[str]:
        return [str(word) for word in self.about.get("command", ())]

    @property
    def environment(self) -> dict[str, str]:
        """What its containers have in their environment besides that of the image."""
        given = {**self.variables} if "env_file" in self.about else {}
        for name, value in self.about.get("environment", {}).items():
            if value is not None:
                given[name] = str(value)
            elif name in self.variables:
                given[name] = self.variables[name]
        return given

    @property
    def health(self) -> list[str]:
        """The command of its health check."""
        form, *words = self.about["healthcheck"]["test"]
        return ["/bin/sh", "-c", *words] if form == "CMD-SHELL" else words

    @property
    def limits(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.about["deploy"]["resources"]["limits"]
        return found

    def seconds(self, *place: str) -> int:
        """Return a duration that stands at `place`."""
        found: Any = self.about
        for key in place:
            found = found[key]
        return int(found[:-1]) * _SECONDS[found[-1]]

    @property
    def is_ours(self) -> bool:
        """Whether it runs the image of this project."""
        return "build" in self.about


def text() -> str:
    return FILE.read_text("utf-8")


def example() -> dict[str, str]:
    """Return the variables of `.env.example` with all that is commented out, the last value each.

    So it is a sandbox that they lead to.
    """
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    return dict(found for line in lines if (found := _assigned(line)))


def _assigned(line: str) -> tuple[str, str] | None:
    found = re.fullmatch(r"#?([A-Z_]+)=(.*)", line)
    return (found[1], found[2]) if found else None


def env_file(path: Path) -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(path).items()}


def document(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the file with `variables` filled in. Raises `Missing`."""
    filled: dict[str, Any] = _filled(yaml.safe_load(text()), variables)
    return filled


def services(variables: Mapping[str, str]) -> dict[str, Service]:
    """Return the services by name, those of profiles too. Raises `Missing`."""
    found = document(variables)["services"]
    return {
        name: Service(name=name, about=about, variables=variables) for name, about in found.items()
    }


def names(value: str) -> Iterator[str]:
    """Yield the variables that a text names."""
    for found in _VARIABLE.finditer(value):
        if braced := found["braced"]:
            parts = _parts(braced)
            yield parts["name"]
            yield from names(parts["rest"] or "")
        elif found["bare"]:
            yield found["bare"]


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, variables) for each in value]
    return fill(value, variables) if isinstance(value, str) else value


def fill(value: str, variables: Mapping[str, str]) -> str:
    """Return a text with its variables filled in: https://docs.docker.com/reference/compose-file/interpolation/"""

    def one(found: re.Match[str]) -> str:
        if found["braced"] is None:
            return variables.get(found["bare"], "") if found["bare"] else "$"
        parts = _parts(found["braced"])
        given, rest = variables.get(parts["name"], ""), parts["rest"] or ""
        match parts["operator"]:
            case ":?" if not given:
                raise Missing(rest)
            case ":+":
                return fill(rest, variables) if given else ""
            case ":-" if not given:
                return fill(rest, variables)
            case None | ":?" | ":-":
                return given
        raise ValueError(f"{found[0]} is in no form that is known here")

    return _VARIABLE.sub(one, value)


def _parts(braced: str) -> re.Match[str]:
    found = _BRACED.fullmatch(braced)
    assert found, braced
    return found
