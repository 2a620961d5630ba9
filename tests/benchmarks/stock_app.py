"""Stock Celery on its own Redis transport, with the settings of this project's app.

It carries the same messages out with the same use cases, and nothing besides: no ledger, lock,
rate, budget or audit record.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from celery import Celery

from tasks import attributes, redact
from tasks.apis.genesys_guide import GenesysGuide
from tasks.apis.systems import Systems
from tasks.apis.tokens import ClientCredentials
from tasks.apis.wire import Wire
from tasks.mapping import SyncRules
from tasks.messages import parse
from tasks.operations import Operation
from tests.benchmarks import stamps
from tests.integration.seams import TokensInMemory, http
from tests.unit.tasks.fakes import FakeNewest
from workers.app import delivery_settings, queues
from workers.settings import Settings
from workers.tenants import load_tenants

settings = Settings.load()
OURS = ("worker_consumer", "task_routes")
STOCK = {name: each for name, each in delivery_settings(settings).items() if name not in OURS}

app = Celery("stock", broker=settings.redis_url, set_as_current=False)
app.conf.update(STOCK, task_queues=queues(load_tenants(settings)))
stamps.connect(settings.redis_url)

WIRE = Wire()
TOKENS = TokensInMemory()
NEWEST = FakeNewest(first_claim=datetime(2026, 1, 1, tzinfo=UTC))


def carry_out(operation: Operation[Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Run the use case of `operation` once, and return what it found."""
    url = settings.genesys_api_url or ""
    grant = ClientCredentials(client_id="sandbox-client", client_secret="sandbox-secret")
    genesys = GenesysGuide(http=http(url, grant=grant, wire=WIRE, tokens=TOKENS))
    systems = Systems(genesys=genesys, customers=None, sync=SyncRules(), newest=NEWEST)
    return dict(operation.use_case(parse(operation.message, arguments), systems).detail)


@app.task(name="noop", ignore_result=True)
def noop() -> None:
    """Do nothing."""


@app.task(name="set_attributes")
def set_attributes(**arguments: Any) -> dict[str, Any]:
    return carry_out(attributes.OPERATION, arguments)


@app.task(name="redact_interaction")
def redact_interaction(**arguments: Any) -> dict[str, Any]:
    return carry_out(redact.OPERATION, arguments)
