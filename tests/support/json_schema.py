"""Judges instances by the keywords of JSON Schema that this project's schemas use, and no others.

Annotations and `format` are not judged, as the standard has it by default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations
from typing import Any

Schema = Mapping[str, Any]

ANNOTATIONS = {"$schema", "$defs", "title", "description", "default", "format", "x-queue"}
TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def is_valid(instance: Any, schema: Schema, root: Schema | None = None) -> bool:
    """Return whether `schema` takes `instance`; a keyword that is not known is a `KeyError`."""
    whole = schema if root is None else root
    words = [word for word in schema if word not in ANNOTATIONS]
    return all(_JUDGES[word](instance, schema[word], schema, whole) for word in words)


def _ref(instance: Any, name: str, _: Schema, root: Schema) -> bool:
    return is_valid(instance, root["$defs"][name.removeprefix("#/$defs/")], root)


def _type(instance: Any, name: str, *_: Schema) -> bool:
    wanted = TYPES[name]
    return isinstance(instance, wanted) and (bool in wanted or not isinstance(instance, bool))


def _properties(instance: Any, schemas: Schema, _: Schema, root: Schema) -> bool:
    shared = schemas.keys() & instance.keys()
    return all(is_valid(instance[name], schemas[name], root) for name in shared)


def _additional(instance: Any, allowed: Any, schema: Schema, root: Schema) -> bool:
    others = instance.keys() - schema.get("properties", {}).keys()
    if allowed is False:
        return not others
    return all(is_valid(instance[name], allowed, root) for name in others)


def _matching(instance: Any, schemas: list[Schema], root: Schema) -> int:
    return sum(is_valid(instance, each, root) for each in schemas)


def _then(instance: Any, then: Schema, schema: Schema, root: Schema) -> bool:
    return not is_valid(instance, schema["if"], root) or is_valid(instance, then, root)


def _unique(items: list[Any], *_: Any) -> bool:
    return all(one != other for one, other in combinations(items, 2))


#: Each keyword: whether it takes (instance, its value, the schema around it, the whole schema).
_BY_KIND: Mapping[type | tuple[type, ...], Mapping[str, Any]] = {
    dict: {
        "required": lambda i, names, *_: set(names) <= i.keys(),
        "properties": _properties,
        "additionalProperties": _additional,
        "propertyNames": lambda i, each, _, root: all(is_valid(n, each, root) for n in i),
        "minProperties": lambda i, least, *_: len(i) >= least,
        "maxProperties": lambda i, most, *_: len(i) <= most,
    },
    list: {
        "items": lambda i, each, _, root: all(is_valid(item, each, root) for item in i),
        "minItems": lambda i, least, *_: len(i) >= least,
        "maxItems": lambda i, most, *_: len(i) <= most,
        "uniqueItems": _unique,
    },
    str: {
        "pattern": lambda i, pattern, *_: re.search(pattern.replace("$", r"\Z"), i) is not None,
        "minLength": lambda i, least, *_: len(i) >= least,
        "maxLength": lambda i, most, *_: len(i) <= most,
    },
    (int, float): {
        "minimum": lambda i, least, *_: i >= least,
        "maximum": lambda i, most, *_: i <= most,
    },
    object: {
        "$ref": _ref,
        "type": _type,
        "const": lambda i, value, *_: i == value,
        "enum": lambda i, values, *_: i in values,
        "anyOf": lambda i, some, _, root: _matching(i, some, root) > 0,
        "oneOf": lambda i, some, _, root: _matching(i, some, root) == 1,
        "allOf": lambda i, some, _, root: _matching(i, some, root) == len(some),
        "if": lambda *_: True,
        "then": _then,
    },
}


def _only_of(kind: Any, judge: Any) -> Any:
    """Return `judge` for instances of `kind`: a keyword takes every instance of another."""
    return lambda instance, *rest: not isinstance(instance, kind) or judge(instance, *rest)


_JUDGES = {
    word: _only_of(kind, judge) for kind, words in _BY_KIND.items() for word, judge in words.items()
}
