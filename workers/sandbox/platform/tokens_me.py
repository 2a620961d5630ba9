"""Who a token belongs to, and the organisation's limits."""

from __future__ import annotations

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.platform.errors import not_found


def read_token(call: Call) -> Answer:
    """`GET /tokens/me` → `TokenInfo`: the organisation and the OAuth client."""
    organization = {"id": call.organization.id, "name": call.organization.id}
    client = {
        "id": call.client,
        "name": call.client,
        "authorizedGrantType": "CLIENT-CREDENTIALS",
        "organization": organization,
    }
    body = {
        "organization": organization,
        "homeOrganization": organization,
        "authorizedScope": [],
        "OAuthClient": client,
    }
    return Answer(body=body)


def check_token(_call: Call) -> Answer:
    """`HEAD /tokens/me`: that the token is good."""
    return Answer()


def list_limits(call: Call) -> Answer:
    """`GET /organizations/limits/namespaces/{namespaceName}` → the limits of `platform.api`."""
    namespace = call.path["namespaceName"]
    if namespace != "platform.api":
        raise not_found("namespace", namespace)
    limits = {"client.credentials.token.rate.per.minute": call.requests_per_minute}
    entities = [{"key": k, "namespace": namespace, "value": v} for k, v in limits.items()]
    return Answer(body={"entities": entities})


_ME = frozenset({"preserveIdleTTL"})
ROUTES = (
    Route(method="GET", path="/api/v2/tokens/me", handle=read_token, query=_ME),
    Route(method="HEAD", path="/api/v2/tokens/me", handle=check_token),
    Route(
        method="GET",
        path="/api/v2/organizations/limits/namespaces/{namespaceName}",
        handle=list_limits,
    ),
)
