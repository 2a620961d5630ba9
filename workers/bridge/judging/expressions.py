"""JMESPath expressions of rules, checked when they are loaded as far as that can be."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError, LexerError, ParseError
from jmespath.functions import Functions
from jmespath.visitor import TreeInterpreter

#: Its visits have no state, so that one does for all.
_INTERPRETER = TreeInterpreter()

_CONSTANT = frozenset({"literal", "multi_select_list", "multi_select_dict", "key_val_pair"})

#: What evaluating raises where a value is of another kind than the expression takes.
_FAULTS = (JMESPathError, TypeError, ValueError, ArithmeticError)


class Expression:
    """One expression; raises `ValueError`, naming the column, where it is none."""

    __slots__ = ("_tree", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree: Any = _parsed(text)
        _check_node({"type": "all of it", "children": [self._tree]})
        for node in _nodes(self._tree):
            _check_node(node)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def of(self, body: Any) -> Any:
        """Return what it says of a body. Raises `ValueError` where it cannot be told."""
        try:
            return _INTERPRETER.visit(self._tree, body)
        except _FAULTS:
            raise ValueError("cannot be told of this event") from None

    @property
    def is_constant(self) -> bool:
        """Whether it says the same of every body."""
        return all(node["type"] in _CONSTANT for node in _nodes(self._tree))

    @property
    def names_fields(self) -> bool:
        """Whether it makes an object whose fields it names, each of them."""
        return _names_fields(self._tree)


def holds(value: Any) -> bool:
    """Return whether JMESPath takes a value for true: 0 is, what is empty is not."""
    if isinstance(value, str | list | dict):
        return bool(value)
    return value is not None and value is not False


def _parsed(text: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PendingDeprecationWarning)
            return jmespath.compile(text).parsed
    except PendingDeprecationWarning:
        raise ValueError("what is between backticks must be JSON") from None
    except LexerError as error:
        raise ValueError(f"is no JMESPath from column {error.lexer_position + 1} on") from None
    except ParseError as error:
        raise ValueError(f"is no JMESPath from column {error.lex_position + 1} on") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except JMESPathError:
        raise ValueError("is empty") from None


def _nodes(tree: Any) -> Iterator[Any]:
    open_ = [tree]
    while open_:
        node = open_.pop()
        yield node
        open_ += [child for child in node["children"] if isinstance(child, dict)]


def _check_node(node: Any) -> None:
    """Refuse what JMESPath itself would find at the first event only."""
    if node["type"] == "function_expression":
        _check_call(node["value"], len(node["children"]))
    elif any(isinstance(each, dict) and each["type"] == "expref" for each in node["children"]):
        raise ValueError("has an & outside of a function's arguments")


def _check_call(name: str, given: int) -> None:
    known: Any = Functions.FUNCTION_TABLE.get(name)
    if known is None:
        raise ValueError("calls a function that JMESPath does not have")
    wanted = len(known["signature"])
    variadic = bool(known["signature"][-1].get("variadic"))
    if given < wanted or (given > wanted and not variadic):
        raise ValueError(f"calls {name}() with {given} arguments, which takes {wanted}")


def _names_fields(node: Any) -> bool:
    children = node["children"]
    match node["type"]:
        case "multi_select_dict":
            return True
        case "literal":
            return isinstance(node["value"], dict)
        case "subexpression" | "pipe":
            return _names_fields(children[-1])
        case "or_expression":
            return all(map(_names_fields, children))
        case "function_expression":
            return bool(node["value"] == "merge") and all(map(_names_fields, children))
    return False
