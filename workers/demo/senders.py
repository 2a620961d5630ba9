"""The two producers: this project's own, and a stock Celery client that knows nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

from celery import Celery

from tasks.messages import PUBLIC, parse
from workers.app import Services
from workers.demo.plan import Plan, Planned
from workers.rates import tenant_queue


def send(plan: Plan, services: Services) -> None:
    """Send every message of the plan, in its order, the second ones of a pair at the end."""
    stock = Celery("stock", broker=services.settings.redis_url, set_as_current=False)
    for planned, message_id in _in_order(plan):
        if planned.by_us:
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
