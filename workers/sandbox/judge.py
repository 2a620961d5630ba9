"""What stands between a request and its route: token, budgets, scope, body."""

from __future__ import annotations

from collections.abc import Iterable

from workers.sandbox.arrival import Arrival, Judge
from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.errors import Refused, bad_request
from workers.sandbox.oauth import Client, Token


def judge(route: Route) -> Judge:
    """The judge of a route. What it refuses for a token or a budget costs nothing else."""

    def carry_out(arrival: Arrival) -> Answer:
        token, client = _authenticate(arrival)
        arrival.dialect.demand(arrival.request)
        _charge(arrival, route, client)
        arrival.dialect.authorize(route, token, client)
        _check_query(arrival, route)
        _check_body(arrival)
        arrival.call = _call(arrival, route, client, token)
        return route.handle(arrival.call)

    return carry_out


def no_route(allowed: Iterable[str]) -> Judge:
    """The judge of what is no route: 405 where a path allows other methods, else 404."""

    def refuse(arrival: Arrival) -> Answer:
        if methods := ", ".join(sorted(allowed)):
            message = f"{arrival.request.method} is not allowed here"
            raise Refused(405, "method.not.allowed", message, headers={"Allow": methods})
        raise Refused(404, "not.found", "there is nothing at this path")

    return refuse


def _authenticate(arrival: Arrival) -> tuple[Token, Client]:
    authentication = arrival.dialect.authentication
    text = authentication.credential(arrival.request.headers)
    token = authentication.token(arrival.simulation, text)
    client = arrival.simulation.clients.get(token.client_id) if token else None
    expired = token is None or token.expires_at <= arrival.now
    if token is None or client is None or expired or client.system != arrival.entry.system:
        code = "bad.credentials" if text else "authentication.required"
        message = "the credential is missing, unknown or expired"
        challenge = authentication.challenge
        headers = {"WWW-Authenticate": challenge} if challenge else {}
        raise Refused(401, code, message, headers=headers)
    return token, client


def _charge(arrival: Arrival, route: Route, client: Client) -> None:
    options = arrival.simulation.options
    quota = arrival.dialect.quota(client, options)
    arrival.tell_remaining(*quota)
    if route.per_second:
        arrival.spend(("second", client.client_id), options.participants_per_second, 1.0)
    arrival.spend(*quota)
    arrival.tell_remaining(*quota)


def _check_query(arrival: Arrival, route: Route) -> None:
    names = [name for name, _ in arrival.request.query.items()]
    if unknown := sorted(set(names) - route.query):
        raise bad_request(f"{unknown[0]}: is no parameter of this operation")
    once = [name for name in names if name not in route.repeatable]
    if twice := sorted({name for name in once if once.count(name) > 1}):
        raise bad_request(f"{twice[0]}: must not occur twice")


def _check_body(arrival: Arrival) -> None:
    limit = arrival.dialect.body_limit(arrival.simulation.options)
    if len(arrival.raw) > limit:
        raise Refused(413, "body.too.large", f"the body is longer than {limit} bytes")
    writes = arrival.entry.method in ("POST", "PUT", "PATCH")
    if writes and arrival.request.content_type != "application/json":
        raise Refused(415, "unsupported.media.type", "the body must be application/json")


def _call(arrival: Arrival, route: Route, client: Client, token: Token) -> Call:
    simulation = arrival.simulation
    return Call(
        route=route,
        world=simulation.world,
        options=simulation.options,
        journal=simulation.journal,
        entry=arrival.entry,
        organization=simulation.world.organization(client.organization),
        client=client.client_id,
        token=token,
        divisions=client.divisions,
        permissions=client.permissions,
        requests_per_minute=client.requests_per_minute or simulation.options.requests_per_minute,
        correlation=arrival.request.headers.get("X-Correlation-Id", ""),
        origin=str(arrival.request.url.origin()),
        faults=arrival.faults,
        now=arrival.now,
        path=arrival.request.match_info,
        query=arrival.request.query,
        raw=arrival.raw,
    )
