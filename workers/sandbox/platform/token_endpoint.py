"""`POST /oauth/token` of the login host: client credentials, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from workers.sandbox.arrival import Arrival
from workers.sandbox.call import Answer
from workers.sandbox.errors import Refused
from workers.sandbox.limits import MINUTE
from workers.sandbox.oauth import TokenRequest, grant, refused
from workers.sandbox.token_endpoint import check_form, issue, own_client

GRANT = "client_credentials"


def give_token(arrival: Arrival) -> Answer:
    """Answer `{access_token, expires_in, token_type}` for HTTP Basic; a `scope` does nothing.

    Raises Refused: 400 `invalid_request` where too many were asked for, else as `oauth.grant`.
    """
    authorization = arrival.request.headers.get("Authorization", "")
    asked = TokenRequest.read(arrival.raw, authorization)
    _charge(arrival, asked)
    check_form(arrival)
    if not authorization.lower().startswith("basic "):
        raise refused(400, "invalid_request", "the client must authenticate by HTTP Basic")
    if asked.form.get("grant_type") != GRANT:
        raise refused(400, "unsupported_grant_type", "this grant type is not supported")
    asked = replace(asked, form={"grant_type": GRANT})
    client = own_client(arrival, asked)
    client, scopes = grant(asked, client, system="platform", audience="", now=arrival.now)
    return issue(arrival, client, scopes, arrival.simulation.options.platform_token_seconds)


def _charge(arrival: Arrival, asked: TokenRequest) -> None:
    limit = arrival.simulation.options.token_requests_per_minute
    try:
        arrival.spend(("token", asked.client_id or ""), limit, MINUTE)
    except Refused:
        raise refused(400, "invalid_request", "rate limit exceeded") from None
