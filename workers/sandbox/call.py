"""A judged request on its way to the route that carries it out, and the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from workers.sandbox.errors import bad_request
from workers.sandbox.faults import Fault
from workers.sandbox.journal import Entry, Journal
from workers.sandbox.notifications.events import CONTRACTS, Event
from workers.sandbox.oauth import Token
from workers.sandbox.options import Options
from workers.sandbox.wire import decode
from workers.sandbox.world import Organization, World


class Body(BaseModel):
    """A request body: JSON types as they are, camelCase names, unknown fields refused."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        strict=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )


B = TypeVar("B", bound=Body)


@dataclass(slots=True, kw_only=True)
class Call:
    """A request whose sender is known, allowed to send it and within its budget."""

    route: Route
    world: World
    options: Options
    journal: Journal
    entry: Entry
    organization: Organization
    #: Id of the OAuth client, and where it has its roles (None: everywhere).
    client: str
    token: Token
    divisions: frozenset[str] | None
    #: What its roles permit (None: everything).
    permissions: frozenset[str] | None
    requests_per_minute: int
    #: The correlation id that the request came with, "" without one.
    correlation: str
    #: Where the sandbox was reached: `http://host:port`.
    origin: str
    #: The faults that hit it.
    faults: Sequence[Fault]
    now: float
    path: Mapping[str, str]
    query: MultiMapping[str]
    raw: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises Refused (400) for anything else."""
        try:
            value = decode(self.raw)
        except ValueError:
            raise bad_request("the body is not valid JSON", "invalid.json") from None
        if not isinstance(value, dict):
            raise bad_request("the body must be a JSON object", "invalid.json")
        return value

    def body(self, model: type[B]) -> B:
        """The body as `model`. Raises Refused (400) naming the first field that is wrong."""
        try:
            return model.model_validate(self.json())
        except ValidationError as error:
            raise bad_request(complaint(error)) from None

    def bodies(self, model: type[B]) -> list[B]:
        """The body as a bare list of `model`. Raises Refused (400) as `body` does."""
        try:
            return TypeAdapter(list[model]).validate_python(decode(self.raw))  # type: ignore[valid-type]
        except ValidationError as error:
            raise bad_request(complaint(error)) from None
        except ValueError:
            raise bad_request("the body is not valid JSON", "invalid.json") from None

    def number(self, name: str, default: int, *, most: int | None = None) -> int:
        """A whole number of at least 1 from the query string. Raises Refused (400)."""
        text = self.query.get(name, str(default))
        value = int(text) if text.isascii() and text.isdigit() else 0
        if value < 1 or (most is not None and value > most):
            limits = "at least 1" if most is None else f"from 1 to {most}"
            raise bad_request(f"{name}: must be a whole number, {limits}")
        return value

    def choices(self, name: str, allowed: frozenset[str]) -> frozenset[str]:
        """The values of a parameter that may be repeated. Raises Refused (400) for any other.

        One that holds several, with commas between them, is how the vendor's SDK repeats it.
        """
        sent = ",".join(self.query.getall(name, []))
        asked = frozenset(sent.split(",") if sent else ())
        if unknown := sorted(asked - allowed):
            message = f"{name}: {unknown[0]} is none of {', '.join(sorted(allowed))}"
            raise bad_request(message, "invalid.query.param.value")
        return asked

    def effect(self, kind: str, subject: str, at: float | None = None, **detail: Any) -> None:
        """Record what this call changed, at a later moment if it ended later."""
        self.journal.effect(self.entry, self.now if at is None else at, kind, subject, detail)

    def notify(self, events: Iterable[Event]) -> None:
        """Let the organisation's channels know what this call changed."""
        contract = CONTRACTS[self.entry.system]
        self.world.notifications.emit(self.organization.id, events, contract)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back: a JSON body (None for none) and the headers beyond the common ones."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Carries the connection on in another protocol, until it ends.
    converse: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None


#: Another writer's hand: changes the documents that a call has just been answered with.
ForeignWrite = Callable[[Call, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of an outside system: where it is, who may call it, what it does."""

    method: str
    #: Template without the system's prefix; it is what the journal calls the route.
    path: str
    handle: Callable[[Call], Answer]
    #: What the token has to cover, and what its client has to be permitted.
    scope: str = ""
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    foreign: ForeignWrite | None = None
    #: Kind of the documents that `foreign` changes.
    writes: str = ""
    #: Names that its query string may have, each once but for those of `repeatable`.
    query: frozenset[str] = frozenset()
    repeatable: frozenset[str] = frozenset()
    #: Whether calls also count against the participants' limit a second.
    per_second: bool = False


def complaint(error: ValidationError) -> str:
    """The first error as `field: rule`, without the value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "body"
    return f"{name}: {first['msg']}"


def overlay(document: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Lay `changes` over `document`: objects are merged, lists appended, the rest replaced."""
    for name, value in changes.items():
        old = document.get(name)
        if isinstance(old, dict) and isinstance(value, Mapping):
            overlay(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            old.extend(value)
        else:
            document[name] = value
