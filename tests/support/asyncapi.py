"""Judges instances by the schemas of an AsyncAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7

Document = Mapping[str, Any]

#: Where references of the document lead to.
HERE = "urn:document"


def problems(document: Document, schema: Mapping[str, Any], instance: Any) -> list[str]:
    """Return what speaks against `instance`, by a schema that stands in `document`."""
    whole = DRAFT7.create_resource(dict(document))
    registry: Any = Registry().with_resource(HERE, whole)
    validator = Draft7Validator(_absolute(schema), registry=registry)
    return [each.message for each in validator.iter_errors(instance)]


def _absolute(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {
            key: f"{HERE}{value}" if key == "$ref" else _absolute(value)
            for key, value in node.items()
        }
    return [_absolute(each) for each in node] if isinstance(node, list) else node


def found(document: Document, reference: str) -> Any:
    """Return what a reference of the document leads to; a `KeyError` where it leads nowhere."""
    place: Any = document
    for name in reference.removeprefix("#/").split("/"):
        place = place[name]
    return place


def references(node: Any) -> Iterator[str]:
    """Yield every reference in a part of a document."""
    if isinstance(node, Mapping):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
