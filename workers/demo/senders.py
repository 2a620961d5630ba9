"""The producers: this project's own, a stock Celery client that knows nothing of it, the bridge.

The bridge is told of what happens in the sandbox. Half-way it loses its sockets for a while: the
chats that end meanwhile it has to find by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from celery import Celery

from tasks.messages import PUBLIC, parse
from workers.app import Services
from workers.demo.errand import Errand, Happening
from workers.demo.plan import Plan, Planned
from workers.limits.rates import tenant_queue
from workers.sandbox.testing import SandboxHandle

#: Connections that are refused after the sockets were cut: one for each tenant, or more of one.
REFUSED = 2


def send(plan: Plan, services: Services, sandbox: SandboxHandle) -> None:
    """Send every message of the plan, in its order, the second ones of a pair at the end."""
    stock = Celery("stock", broker=services.settings.redis_url, set_as_current=False)
    middle = plan.happenings[len(plan.happenings) // 2]
    for planned, message_id in _in_order(plan):
        if planned is middle:
            _interrupt(sandbox)
        if happening := planned.errand.happening:
            happen(sandbox, planned.errand, happening)
        elif planned.by_us:
            model = PUBLIC[planned.errand.task]
            services.producer.publish(parse(model, planned.arguments()))
        else:
            _send_stock(stock, planned, message_id)


def _in_order(plan: Plan) -> Iterator[tuple[Planned, str]]:
    for planned in plan.planned:
        yield planned, planned.message_ids[0]
    for planned in plan.planned:
        for message_id in planned.message_ids[1:]:
            yield planned, message_id


def _send_stock(stock: Celery, planned: Planned, message_id: str) -> None:
    errand = planned.errand
    stock.send_task(
        errand.task,
        args=errand.positional,
        kwargs=planned.arguments(),
        queue=tenant_queue(errand.queue, errand.organization),
        task_id=message_id,
    )


def happen(sandbox: SandboxHandle, errand: Errand, happening: Happening) -> None:
    """Let the sandbox do what an errand comes of."""
    if change := happening.change:
        sandbox.put(change.kind, change.id, dict(change.body), errand.organization)
    else:
        sandbox.end_conversation(str(happening.subject), errand.organization)


def _interrupt(sandbox: SandboxHandle) -> None:
    """Cut every socket, so that some time passes until there is another one."""
    route = "/channels/{channelId}"
    sandbox.fault(kind="status", status=503, system="genesys", route=route, times=REFUSED)
    sandbox.sockets("drop")
