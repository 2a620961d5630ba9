"""`/sandbox/…`: looking at the sandbox and changing it, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from workers.sandbox import documents, fault_rules
from workers.sandbox.call import complaint
from workers.sandbox.errors import Refused, bad_request, not_found
from workers.sandbox.faults import FAULT
from workers.sandbox.journal import Effect, Entry, select
from workers.sandbox.notifications import control as notifications
from workers.sandbox.oauth import Client
from workers.sandbox.options import Options
from workers.sandbox.simulation import Simulation
from workers.sandbox.wire import decode, encode
from workers.sandbox.world import Organization, find

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A control request."""

    simulation: Simulation
    path: Mapping[str, str]
    query: dict[str, str]
    body: dict[str, Any]

    def organization(self, *, found: bool = False) -> Organization:
        """The organisation asked for; `found` founds it where there is none."""
        name = self.query.get("organization", "default")
        if not found and name not in self.simulation.world.organizations:
            raise not_found("organization", name)
        return self.simulation.world.organization(name)


Command = Callable[[Order], Any]


def health(order: Order) -> Any:
    """`GET /sandbox/health`: it answers, and knows how many requests it has seen."""
    return {"status": "ok", "requests": len(order.simulation.journal.requests)}


def journal(order: Order) -> Any:
    """`GET /sandbox/journal`: the requests that agree with every filter, oldest first."""
    return {"requests": _select(order, order.simulation.journal.requests, Entry.__slots__)}


def effects(order: Order) -> Any:
    """`GET /sandbox/effects`: the changes that agree with every filter, oldest first."""
    return {"effects": _select(order, order.simulation.journal.effects, Effect.__slots__)}


def summary(order: Order) -> Any:
    """`GET /sandbox/summary`: counts by route and status, and by kind of effect."""
    return order.simulation.journal.summary()


def list_state(order: Order) -> Any:
    """`GET /sandbox/state/{kind}?organization=` → `{ids}`; other filters compare fields."""
    held = documents.documents(order.organization(), order.path["kind"])
    wanted = {k: v for k, v in order.query.items() if k != "organization"}
    return {
        "ids": [
            entity_id
            for entity_id, document in held.items()
            if all(str(document.get(k)) == v for k, v in wanted.items())
        ]
    }


def read_state(order: Order) -> Any:
    """`GET /sandbox/state/{kind}/{id}?organization=`: the document as it is."""
    kind = order.path["kind"]
    return find(documents.documents(order.organization(), kind), kind, order.path["id"])


def put_state(order: Order) -> Any:
    """`PUT /sandbox/state/{kind}/{id}?organization=`: adds or replaces, answers the document."""
    kind, entity_id = order.path["kind"], order.path["id"]
    organization = order.organization(found=True)
    return documents.put(order.simulation.world, organization, kind, entity_id, order.body)


def put_many(order: Order) -> Any:
    """`PUT /sandbox/state/{kind}?organization=` with documents by id: as many single ones."""
    kind, organization = order.path["kind"], order.organization(found=True)
    for entity_id, body in order.body.items():
        documents.put(order.simulation.world, organization, kind, entity_id, body)
    return {"count": len(order.body)}


def list_organizations(order: Order) -> Any:
    """`GET /sandbox/organizations`: every tenant with the organisation ids it manages."""
    organizations = order.simulation.world.organizations.values()
    return {
        "organizations": [
            {"id": each.id, "organizationIds": each.organization_ids} for each in organizations
        ]
    }


def list_clients(order: Order) -> Any:
    """`GET /sandbox/clients`: the OAuth clients, without their secrets."""
    return {"clients": [client.render() for client in order.simulation.clients.values()]}


def put_client(order: Order) -> Any:
    """`PUT /sandbox/clients/{client_id}`: adds a client or changes the fields that are given."""
    client_id = order.path["client_id"]
    old = order.simulation.clients.get(client_id)
    fields = {**(old.model_dump() if old else {}), **order.body, "client_id": client_id}
    client = Client.model_validate(fields)
    order.simulation.clients[client_id] = client
    order.simulation.world.organization(client.organization)
    return client.render()


def list_faults(order: Order) -> Any:
    """`GET /sandbox/faults`: the faults that are set and how often each has hit."""
    return {"faults": order.simulation.faults.render()}


def add_fault(order: Order) -> Any:
    """`POST /sandbox/faults` → `{id}`; 400 for one that can hit nothing."""
    fault = FAULT.validate_python(order.body)
    fault_rules.check(fault)
    return {"id": order.simulation.faults.add(fault)}


def clear_faults(order: Order) -> Any:
    """`DELETE /sandbox/faults`."""
    order.simulation.faults.clear()
    return {}


def remove_fault(order: Order) -> Any:
    """`DELETE /sandbox/faults/{id}`."""
    if not order.simulation.faults.remove(order.path["id"]):
        raise not_found("fault", order.path["id"])
    return {}


def put_options(order: Order) -> Any:
    """`PUT /sandbox/options`: changes the options that are given, answers all of them."""
    fields = {**order.simulation.options.model_dump(), **order.body}
    order.simulation.options = Options.model_validate(fields)
    return _dump(order.simulation.options)


def reset(order: Order) -> Any:
    """`POST /sandbox/reset {seed?}`: everything as at the start."""
    seed = order.body.get("seed")
    if seed is not None and type(seed) is not int:
        raise bad_request("seed: must be a whole number")
    order.simulation.reset(seed)
    return {}


def _select(order: Order, records: Iterable[Any], fields: Sequence[str]) -> list[dict[str, Any]]:
    try:
        return select(records, order.query, fields)
    except ValueError as error:
        raise bad_request(f"filter: {error}") from None


def _dump(model: BaseModel) -> dict[str, Any]:
    return model.model_dump()


COMMANDS: tuple[tuple[str, str, Command], ...] = (
    ("GET", "/sandbox/health", health),
    ("GET", "/sandbox/journal", journal),
    ("GET", "/sandbox/effects", effects),
    ("GET", "/sandbox/summary", summary),
    ("GET", "/sandbox/state/{kind}", list_state),
    ("GET", "/sandbox/state/{kind}/{id}", read_state),
    ("PUT", "/sandbox/state/{kind}/{id}", put_state),
    ("PUT", "/sandbox/state/{kind}", put_many),
    ("GET", "/sandbox/organizations", list_organizations),
    ("GET", "/sandbox/clients", list_clients),
    ("PUT", "/sandbox/clients/{client_id}", put_client),
    ("GET", "/sandbox/faults", list_faults),
    ("POST", "/sandbox/faults", add_fault),
    ("DELETE", "/sandbox/faults", clear_faults),
    ("DELETE", "/sandbox/faults/{id}", remove_fault),
    ("PUT", "/sandbox/options", put_options),
    ("POST", "/sandbox/reset", reset),
    *notifications.COMMANDS,
)


def handler(simulation: Simulation, command: Command) -> Handler:
    """The HTTP side of a command: JSON in, JSON out, errors as the usual error body."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            simulation.world.timeline.advance()
            answer, status = command(await _order(simulation, request)), 200
        except Refused as error:
            answer, status = error.body("sandbox"), error.status
        except ValidationError as error:
            answer, status = bad_request(complaint(error)).body("sandbox"), 400
        return web.Response(body=encode(answer), status=status, content_type="application/json")

    return handle


async def _order(simulation: Simulation, request: web.Request) -> Order:
    raw = await request.read()
    try:
        body = decode(raw) if raw else {}
    except ValueError:
        raise bad_request("the body is not valid JSON") from None
    if not isinstance(body, dict):
        raise bad_request("the body must be a JSON object")
    return Order(
        simulation=simulation, path=request.match_info, query=dict(request.query), body=body
    )
