"""Rules: which events become which messages. A file of them is TOML, taken whole or refused.

What its fields mean is said in `default_rules.toml`, which is the file where no other is given.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypedDict, get_args, get_origin

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainValidator,
    StrictBool,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from tasks.errors import RulesError
from tasks.messages import PUBLIC, Message
from tasks.refusals import explain, shown_name
from workers.bridge.judging import patterns
from workers.bridge.judging.expressions import Expression
from workers.bridge.judging.patterns import Ids, Patterns
from workers.bridge.judging.toml_lines import Lines, Place
from workers.clients import Table

DEFAULT_RULES = "default_rules.toml"
DEFAULT_AGE = timedelta(days=5)
#: An occurrence is remembered for as long.
OLDEST = timedelta(days=7)

Contract = Literal["guide", "platform"]
Recovery = Literal["every", "latest", "nothing"]

#: What a backfill looks for, by the topics whose events it makes up for, and the most that it finds
#: of them; of all other topics it finds nothing.
RECOVERABLE: Patterns[tuple[Literal["ends", "attributes"], Recovery]] = Patterns(
    (
        ("v2.detail.events.conversation.{id}.customer.end", ("ends", "every")),
        ("v2.routing.queues.{id}.conversations.messages", ("ends", "every")),
        ("v2.detail.events.conversation.{id}.attributes", ("attributes", "latest")),
    )
)
_LESS_FIRST: tuple[Recovery, ...] = ("nothing", "latest", "every")

_AGE = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Recoverable(TypedDict):
    """Whether a backfill looks for conversations that ended, for attributes that changed."""

    ends: bool
    attributes: bool


def _expression(value: Any) -> Expression:
    if not isinstance(value, str):
        raise ValueError("must be a text: a JMESPath expression")
    return Expression(value)


def _age(value: Any) -> timedelta:
    found = _AGE.fullmatch(value) if isinstance(value, str) else None
    age = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
    if age is None or age > OLDEST:
        raise ValueError("must be a number of s, m, h or d, such as 12h, and at most 7d")
    return age


def _public(task: str) -> str:
    if task not in PUBLIC:
        raise ValueError(f"must be one of {', '.join(PUBLIC)}")
    return task


Told = Annotated[Expression, PlainValidator(_expression)]


class Occurs(Table):
    """What tells one occurrence from another: a moment, the values of a state, or a set of ids."""

    at: Told | None = None
    values: Told | None = None
    ids: Told | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if [self.at, self.values, self.ids].count(None) != 2:
            raise ValueError("must have exactly one of at, values and ids")
        return self

    @cached_property
    def told(self) -> Expression:
        """What tells it."""
        return next(each for each in (self.at, self.values, self.ids) if each)


class Rule(Table):
    """Which events of which topics become a message, which one, and what makes it unique."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    topic: Annotated[str, AfterValidator(patterns.check)]
    when: Told | None = None
    task: Annotated[str, AfterValidator(_public)]
    subject: Told
    occurrence: Occurs
    max_age: Annotated[timedelta, BeforeValidator(_age)] = DEFAULT_AGE
    backfill: Recovery
    enabled: StrictBool = True
    arguments: dict[str, Told] = {}

    @property
    def model(self) -> type[Message]:
        """What its messages are."""
        return PUBLIC[self.task]

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The arguments without which there is no message of its task."""
        fields = self.model.model_fields.items()
        return tuple(name for name, field in fields if field.is_required())

    @cached_property
    def moments(self) -> frozenset[str]:
        """The arguments that are moments."""
        return frozenset(name for name in self.arguments if self._takes(name, _is_moment))

    @property
    def recovered(self) -> Literal["ends", "attributes"] | None:
        """What a backfill looks for because of it."""
        wanted = self.enabled and self.backfill != "nothing"
        return next((what for (what, _), _ in RECOVERABLE.of(self.topic) if wanted), None)

    @model_validator(mode="after")
    def _makes_its_message(self) -> Self:
        fields = self.model.model_fields.keys() - Message.model_fields.keys()
        for name, expression in self.arguments.items():
            where = f"arguments.{shown_name(name)}"
            if name not in fields:
                raise ValueError(f"{where}: is no argument of {self.task}")
            if self._takes(name, _is_object) and not expression.names_fields:
                raise ValueError(f"{where}: must name each field: attributes.{{tier: tier}}")
            self._check_constant(name, expression)
        for name in self.required:
            if name not in self.arguments:
                raise ValueError(f"arguments.{name}: is required by {self.task}")
        return self

    @model_validator(mode="after")
    def _can_be_recovered(self) -> Self:
        most = next((most for (_, most), _ in RECOVERABLE.of(self.topic)), "nothing")
        if _LESS_FIRST.index(self.backfill) > _LESS_FIRST.index(most):
            raise ValueError(f"backfill: must be {most}, which is the most for this topic")
        return self

    def _takes(self, argument: str, kind: Callable[[Any], bool]) -> bool:
        return kind(self.model.model_fields[argument].annotation)

    def _check_constant(self, name: str, expression: Expression) -> None:
        if expression.is_constant and name not in self.moments:
            argument = TypeAdapter[Any](self.model.model_fields[name].rebuild_annotation())
            try:
                argument.validate_python(expression.of({}), strict=True)
            except ValidationError as error:
                raise ValueError(f"arguments.{name}: {explain(error)}") from None


def _is_moment(annotation: Any) -> bool:
    return annotation in (datetime, AwareDatetime) or any(map(_is_moment, get_args(annotation)))


def _is_object(annotation: Any) -> bool:
    return get_origin(annotation) is dict or any(map(_is_object, get_args(annotation)))


class RuleSet:
    """Rules with names of their own, found by the topics of events."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._by_topic = Patterns([(rule.topic, rule) for rule in rules])

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def of(self, topic: str) -> Iterator[tuple[Rule, Ids]]:
        """Yield the rules for events of `topic`, those that are off too, each with its ids."""
        return self._by_topic.of(topic)

    def topics(self) -> tuple[str, ...]:
        """Return the patterns of the topics that its rules need, of those that are on."""
        return tuple(dict.fromkeys(rule.topic for rule in self if rule.enabled))

    def recoverable(self, contract: Contract) -> Recoverable:
        """Return what a backfill has to look for, as far as the tenant's contract knows of it."""
        wanted = {rule.recovered for rule in self}
        return {
            "ends": "ends" in wanted,
            "attributes": "attributes" in wanted and contract == "platform",
        }


def chosen(path: Path | None) -> RuleSet:
    """Return the rules of a tenant's file, the shipped ones where it has none; see `load`."""
    return load(path) if path else default_rules()


def load(path: Path) -> RuleSet:
    """Return the rules of a file. Raises `RulesError` naming the file, line, field and rule."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RulesError(f"{path.name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise RulesError(f"{path.name}: is not UTF-8") from None
    return _read(text, path.name)


def default_rules() -> RuleSet:
    """Return the rules where a tenant has no file of its own."""
    text = resources.files("workers.bridge.judging").joinpath(DEFAULT_RULES).read_text("utf-8")
    return _read(text, DEFAULT_RULES)


def _read(text: str, file: str) -> RuleSet:
    rules: list[Rule] = []
    for number, table in enumerate(_tables(text, file)):
        try:
            rule = Rule.model_validate(table)
        except ValidationError as error:
            raise _refusal(text, file, ("rule", number, *_place(error)), explain(error)) from None
        if rule.name in {each.name for each in rules}:
            where = ("rule", number, "name")
            raise _refusal(text, file, where, "name: is the name of a rule above")
        rules.append(rule)
    return RuleSet(rules)


def _tables(text: str, file: str) -> list[Any]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line ([0-9]+)", str(error))
        line = found[1] if found else text.count("\n") + 1
        raise RulesError(f"{file}, line {line}: is no TOML: {error}") from None
    except (ValueError, RecursionError):
        raise RulesError(f"{file}: is no TOML: nested too deeply, or a number too long") from None
    tables = document.pop("rule", None)
    if document:
        raise _refusal(text, file, tuple(document)[:1], "only tables [[rule]] are known")
    if not isinstance(tables, list) or not tables:
        raise _refusal(text, file, ("rule",), "rule: at least one table [[rule]] is required")
    return tables


def _refusal(text: str, file: str, place: Place, why: str) -> RulesError:
    return RulesError(f"{file}, line {Lines(text).of(place)}: {why}")


def _place(error: ValidationError) -> Place:
    """Return where in a rule an error is; one between fields begins with the field to mend."""
    return error.errors()[0]["loc"] or tuple(explain(error).partition(": ")[0].split("."))
