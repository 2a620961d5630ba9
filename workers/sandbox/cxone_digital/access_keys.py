"""Tokens for access keys, in both forms: through an application, and by the key alone."""

from __future__ import annotations

from urllib.parse import parse_qsl

from pydantic import ValidationError

from workers.sandbox.arrival import Arrival
from workers.sandbox.call import Answer, Body, complaint
from workers.sandbox.errors import Refused, bad_request
from workers.sandbox.limits import MINUTE
from workers.sandbox.oauth import Client, TokenRequest, refused
from workers.sandbox.token_endpoint import check_form, issue
from workers.sandbox.wire import decode

FORM_PATH = "/auth/token"
JSON_PATH = "/authentication/v1/token/access-key"


class AccessKey(Body):
    """Body of `POST /authentication/v1/token/access-key`."""

    access_key_id: str
    access_key_secret: str


def applicant(body: bytes, _authorization: str) -> str | None:
    """The id of the access key that a token request, a form or JSON, is for."""
    form = dict(parse_qsl(body.decode("utf-8", "replace")))
    if "username" in form:
        return form["username"]
    try:
        sent = decode(body)
    except ValueError:
        return None
    found = sent.get("accessKeyId") if isinstance(sent, dict) else None
    return found if isinstance(found, str) else None


def give_token(arrival: Arrival) -> Answer:
    """Answer `{access_token, expires_in, token_type}` for an access key, in the path's form.

    Raises Refused: 401 or 400 for wrong credentials, 429 for too many requests.
    """
    limit = arrival.simulation.options.token_requests_per_minute
    arrival.spend(("token", applicant(arrival.raw, "") or ""), limit, MINUTE)
    prove = _through_application if arrival.entry.route == FORM_PATH else _by_itself
    return issue(arrival, prove(arrival), frozenset(), arrival.simulation.options.token_seconds)


def _through_application(arrival: Arrival) -> Client:
    check_form(arrival)
    authorization = arrival.request.headers.get("Authorization", "")
    asked = TokenRequest.read(arrival.raw, authorization)
    application = arrival.simulation.clients.get(asked.client_id or "")
    known = application is not None and application.system == "dfo-application"
    basic = authorization.lower().startswith("basic ")
    if application is None or not (known and basic and application.proves(asked.secret)):
        raise refused(401, "invalid_client", "the application must authenticate by HTTP Basic")
    if asked.form.get("grant_type") != "password":
        raise refused(400, "unsupported_grant_type", "this grant type is not supported")
    key = _key(arrival, asked.form.get("username", ""), asked.form.get("password", ""))
    if key is None:
        raise refused(400, "invalid_grant", "the access key is unknown or its secret is wrong")
    return key


def _by_itself(arrival: Arrival) -> Client:
    if arrival.request.content_type != "application/json":
        raise Refused(415, "unsupported.media.type", "the body must be application/json")
    try:
        asked = AccessKey.model_validate(decode(arrival.raw))
    except ValidationError as error:
        raise bad_request(complaint(error)) from None
    except ValueError:
        raise bad_request("the body is not valid JSON", "invalid.json") from None
    key = _key(arrival, asked.access_key_id, asked.access_key_secret)
    if key is None:
        message = "the access key is unknown or its secret is wrong"
        raise Refused(401, "invalid.access.key", message)
    return key


def _key(arrival: Arrival, key_id: str, secret: str) -> Client | None:
    client = arrival.simulation.clients.get(key_id)
    known = client is not None and client.system == arrival.entry.system and client.proves(secret)
    return client if known else None
