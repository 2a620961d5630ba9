"""Where the APIs of a CXone tenant are, by the vendor's discovery document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from tasks.apis.bodies import Body, parse
from tasks.apis.calls import Call
from tasks.apis.cxone.access_key import ACCESS_KEY_PATH
from tasks.apis.http import Http
from tasks.apis.remembered import Remembered
from tasks.apis.tokens import Anonymous
from tasks.errors import BadRequest

VENDOR_URL = "https://cxone.niceincontact.com"

#: How long (seconds) the hosts of a tenant are remembered.
LIFE = 3_600.0

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


class Hosts(Body):
    """The part of the discovery document that names hosts: `na1`, `niceincontact.com`."""

    area: Annotated[str, Field(pattern=rf"^{_LABEL}$")]
    domain: Annotated[str, Field(pattern=rf"^{_LABEL}(?:\.{_LABEL})+$", max_length=253)]

    @property
    def api_url(self) -> str:
        """The base URL of Digital Engagement."""
        return f"https://api-de-{self.area}.{self.domain}"

    @property
    def token_url(self) -> str:
        """Where an access key gets a token by itself."""
        return f"https://{self.area}.nice-incontact.com{ACCESS_KEY_PATH}"


def discover(http: Http, tenant_id: str) -> Hosts:
    """Return the hosts of the tenant; `http` reaches the discovery host, without credentials.

    Raises the `ApiError` of the answer, and `OutcomeUnknown` for a document without hosts. A 404 is
    a `BadRequest`: it is about the settings, and must not pass for an unknown customer.
    """
    call = Call(
        method="GET",
        route="/.well-known/cxone-configuration",
        query={"tenantId": tenant_id},
        needs="nothing",
        allowed=frozenset({404}),
    )
    answer = http.call(call)
    if answer.status == 404:
        error = BadRequest(
            system=http.endpoint.system, method=call.method, route=call.route, status=404
        )
        error.note = "check tenant_id in the [sync] table"
        raise error
    return parse(Hosts, http, call, answer)


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """Fills in the URLs that a tenant's settings leave to discovery, once in `LIFE`."""

    tenant_id: str
    url: str
    remembered: Remembered[Hosts]

    def located(self, http: Http) -> Http:
        """Return `http` with the hosts it lacks. Raises what `discover` raises."""
        endpoint = http.endpoint
        if endpoint.api_url and endpoint.token_url:
            return http
        hosts = self.remembered.get((self.url, self.tenant_id), self._read(http))
        found = replace(
            endpoint,
            api_url=endpoint.api_url or hosts.api_url,
            token_url=endpoint.token_url or hosts.token_url,
        )
        return replace(http, endpoint=found)

    def _read(self, http: Http) -> Callable[[], Hosts]:
        anonymous = replace(http.endpoint, api_url=self.url, grant=Anonymous())
        return lambda: discover(replace(http, endpoint=anonymous), self.tenant_id)
