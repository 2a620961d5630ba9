"""Holds exchanges with the platform API against the vendor's Swagger document.

The document is not part of the project: what needs it is skipped where it is absent. It is read
strictly: a field that it does not name is a problem, in a request as in an answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft4Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from tasks.apis.calls import Answer
from tasks.apis.wire import Wire

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT.parent / "shared" / "genesys" / "platform-api-subset.swagger.json"

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@FORMATS.checks("date", raises=ValueError)
def _is_day(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of the document, with its path template."""

    method: str
    template: str
    document: Mapping[str, Any] = field(repr=False)

    @property
    def pattern(self) -> re.Pattern[str]:
        parts = re.split(r"\{\w+\}", self.template)
        return re.compile("[^/]+".join(map(re.escape, parts)))

    def parameters(self, place: str) -> dict[str, Mapping[str, Any]]:
        listed = self.document.get("parameters", ())
        return {each["name"]: each for each in listed if each["in"] == place}

    def permissions(self) -> tuple[str, frozenset[str]]:
        """Return `ANY` or `ALL`, and the permissions; none of them is `ALL` of nothing."""
        needed = self.document.get("x-inin-requires-permissions", {})
        return needed.get("type", "ALL"), frozenset(needed.get("permissions", ()))

    def codes(self, status: int) -> frozenset[str]:
        """Return the codes that a refusal of that status may have."""
        response = self.document["responses"].get(str(status), {})
        return frozenset(response.get("x-inin-error-codes", ()))


class Swagger:
    """The document, ready to judge requests and answers."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._answered = _strict(document["definitions"])
        self._asked = {name: _writable(each) for name, each in self._answered.items()}
        self.operations = [
            Operation(method=method.upper(), template=template, document=operation)
            for template, methods in document["paths"].items()
            for method, operation in methods.items()
            if method in ("get", "head", "post", "put", "patch", "delete")
        ]

    def find(self, method: str, path: str) -> Operation | None:
        """Return the operation at `path`; a template without parameters counts before others."""
        fitting = [o for o in self.operations if o.method == method and o.pattern.fullmatch(path)]
        return min(fitting, key=lambda each: each.template.count("{"), default=None)

    def problems_of_request(
        self, method: str, path: str, query: Mapping[str, Any], body: Any
    ) -> list[str]:
        """Return what the document does not allow of a request, one line each."""
        operation = self.find(method, path)
        if operation is None:
            return [f"{method} {path}: is no operation"]
        return [
            f"{method} {operation.template}: {problem}"
            for problem in (*_query(operation, query), *self._body(operation, body))
        ]

    def problems_of_answer(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """Return what the document does not foresee of an answer, one line each."""
        operation = self.find(method, path)
        if operation is None:
            return []
        responses = operation.document["responses"]
        where = f"{method} {operation.template} → {status}"
        if str(status) not in responses and "default" not in responses:
            return [f"{where}: the status is not foreseen"]
        schema = responses.get(str(status), {}).get("schema")
        if schema is None:
            return [f"{where}: a body is not foreseen"] if body not in (None, "") else []
        if body is None:
            return [f"{where}: has no body"] if status != 202 and method != "HEAD" else []
        return [f"{where}: {problem}" for problem in _problems(schema, self._answered, body)]

    def _body(self, operation: Operation, body: Any) -> Iterator[str]:
        expected = next(iter(operation.parameters("body").values()), None)
        if expected is None:
            if body is not None:
                yield "takes no body"
        elif body is None:
            if expected.get("required"):
                yield "needs a body"
        else:
            yield from _problems(expected["schema"], self._asked, body)


def _problems(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], body: Any
) -> Iterator[str]:
    # Draft 4 ignores what stands beside a $ref: the schema is wrapped.
    wrapped = {"allOf": [schema], "definitions": definitions}
    for error in Draft4Validator(wrapped, format_checker=FORMATS).iter_errors(body):
        yield _said(error)


def _said(error: ValidationError) -> str:
    place = "/".join(map(str, error.absolute_path)) or "body"
    return f"{place}: {error.message[:200]}"


def _query(operation: Operation, query: Mapping[str, Any]) -> Iterator[str]:
    known = operation.parameters("query")
    yield from (f"{name}: is no parameter" for name in query.keys() - known.keys())
    for name, parameter in known.items():
        if name in query:
            yield from (f"{name}: {each}" for each in _value(parameter, query[name]))
        elif parameter.get("required"):
            yield f"{name}: is required"


def _value(parameter: Mapping[str, Any], value: str | list[str]) -> Iterator[str]:
    several = parameter["type"] == "array"
    if isinstance(value, list) and not several:
        yield "must not occur twice"
    rules = parameter["items"] if several else parameter
    for each in value if isinstance(value, list) else [value]:
        if rules["type"] == "integer" and not each.isdigit():
            yield "must be a whole number"
        if rules["type"] == "boolean" and each not in ("true", "false"):
            yield "must be true or false"
        if "enum" in rules and each not in rules["enum"]:
            yield f"must be one of {rules['enum']}"


def _strict(node: Any) -> Any:
    """Return definitions that refuse fields they do not name."""
    if isinstance(node, list):
        return [_strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    # An object that nothing is said about is the vendor's way to write any value at all.
    if node.get("type") == "object" and not node.keys() & {"properties", "additionalProperties"}:
        return {}
    copied = {name: _strict(value) for name, value in node.items()}
    if isinstance(node.get("properties"), dict) and "additionalProperties" not in node:
        copied["additionalProperties"] = False
    return copied


def _writable(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a definition that requires no read-only field: those are the vendor's to fill in."""
    properties = definition.get("properties", {})
    required = [
        name
        for name in definition.get("required", ())
        if not properties.get(name, {}).get("readOnly")
    ]
    # Draft 4 wants at least one name in such a list.
    rest = {name: value for name, value in definition.items() if name != "required"}
    return {**rest, "required": required} if required else rest


@cache
def _load() -> Swagger | None:
    if not DOCUMENT.exists():
        return None
    return Swagger(json.loads(DOCUMENT.read_text("utf-8")))


def swagger() -> Swagger:
    """Return the document, or skip the test where it is absent."""
    document = _load()
    if document is None:
        pytest.skip("the vendor's Swagger document is not here")
    return document


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """An operation that was asked for, the answer's status, and what speaks against the two."""

    method: str
    template: str
    status: int
    of_request: list[str]
    of_answer: list[str]


class CheckedWire(Wire):
    """A wire that notes what the document says of each exchange below `url`.

    Where the document is absent it notes nothing.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.exchanges: list[Exchange] = []

    @property
    def problems(self) -> list[str]:
        return [said for each in self.exchanges for said in (*each.of_request, *each.of_answer)]

    def exchange(
        self, method: str, url: str, *, connect: float, within: float, **request: Any
    ) -> Answer:
        answer = super().exchange(method, url, connect=connect, within=within, **request)
        document = _load()
        path = urlsplit(url.removeprefix(self._url)).path
        if document and path.startswith("/api/v2/"):
            self.exchanges.append(_judged(document, method, path, request, answer))
        return answer


def _judged(
    document: Swagger, method: str, path: str, request: Mapping[str, Any], answer: Answer
) -> Exchange:
    sent = json.loads(request["data"]) if request.get("data") else None
    answered = json.loads(json.dumps(answer.body, default=float))
    operation = document.find(method, path)
    return Exchange(
        method=method,
        template=operation.template if operation else path,
        status=answer.status,
        of_request=document.problems_of_request(method, path, request.get("params") or {}, sent),
        of_answer=document.problems_of_answer(method, path, answer.status, answered),
    )
