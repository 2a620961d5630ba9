"""`POST /oauth/token`: an access token for credentials or for a signed assertion."""

from __future__ import annotations

from workers.sandbox.arrival import Arrival
from workers.sandbox.call import Answer
from workers.sandbox.limits import MINUTE
from workers.sandbox.oauth import Client, Token, TokenRequest, grant, refused

AUDIENCE_PATH = "/genesys/api/v2/oauth/token"


def give_token(arrival: Arrival) -> Answer:
    """Answer `{access_token, expires_in, token_type}`. Raises Refused as `oauth.grant` does."""
    asked = TokenRequest.read(arrival.raw, arrival.request.headers.get("Authorization"))
    limit = arrival.simulation.options.token_requests_per_minute
    budget = ("token", asked.client_id or "")
    arrival.tell_remaining(budget, limit, MINUTE)
    arrival.spend(budget, limit, MINUTE)
    arrival.tell_remaining(budget, limit, MINUTE)
    check_form(arrival)
    audience = f"{arrival.request.scheme}://{arrival.request.host}{AUDIENCE_PATH}"
    system, now = arrival.entry.system, arrival.now
    client = own_client(arrival, asked)
    client, scopes = grant(asked, client, system=system, audience=audience, now=now)
    return issue(arrival, client, scopes, arrival.simulation.options.token_seconds)


def check_form(arrival: Arrival) -> None:
    """Raise Refused (400) unless the body is a form."""
    if arrival.request.content_type != "application/x-www-form-urlencoded":
        raise refused(400, "invalid_request", "the body must be a form")


def own_client(arrival: Arrival, asked: TokenRequest) -> Client | None:
    """The client that asks, where the system has it."""
    client = arrival.simulation.clients.get(asked.client_id or "")
    return client if client and client.system == arrival.entry.system else None


def issue(arrival: Arrival, client: Client, scopes: frozenset[str], seconds: float) -> Answer:
    """Give out a token that lives as long as the client's do, or for `seconds`."""
    seconds = client.token_seconds or seconds
    token = Token(client_id=client.client_id, scopes=scopes, expires_at=arrival.now + seconds)
    text = arrival.simulation.tokens.issue(token)
    body = {"access_token": text, "expires_in": int(seconds), "token_type": "bearer"}
    return Answer(body=body, headers={"Cache-Control": "no-store"})
