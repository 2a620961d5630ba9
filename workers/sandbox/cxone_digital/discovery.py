"""Where the APIs of a tenant are: the vendor's discovery document."""

from __future__ import annotations

from workers.sandbox.arrival import Arrival
from workers.sandbox.call import Answer
from workers.sandbox.errors import bad_request, not_found

PATH = "/.well-known/cxone-configuration"


def read_configuration(arrival: Arrival) -> Answer:
    """`GET /.well-known/cxone-configuration?tenantId=` → `{area, domain, …}`, for anybody.

    A tenant's id is its organisation's. Raises Refused: 400 without one, 404 for an unknown one.
    """
    tenant_id = arrival.request.query.get("tenantId")
    if not tenant_id:
        raise bad_request("tenantId: must be given")
    if tenant_id not in arrival.simulation.world.organizations:
        raise not_found("tenant", tenant_id)
    area, domain = arrival.simulation.options.dfo_area, arrival.simulation.options.dfo_domain
    body = {
        "private": False,
        "area": area,
        "cluster": "B32",
        "domain": domain,
        "acdDomain": "nice-incontact.com",
        "uhDomain": "nice-incontact.com",
        "ui_endpoint": f"https://{area}.nice-incontact.com",
        "auth_endpoint": f"https://{area}.nice-incontact.com",
        "api_endpoint": f"https://api-{area}.{domain}",
        "tenantId": tenant_id,
    }
    return Answer(body=body)
