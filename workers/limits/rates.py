"""Rates of queues: how they are written, and the defaults."""

from __future__ import annotations

import math
import re

from tasks.messages import DEFAULT_TENANT

#: Messages a queue may start over all workers together, per second.
DEFAULT_RATES = {
    "attributes": 100.0,
    "merge": 2.0,
    "sync": 5.0,
    "deploy": 30 / 60,
    "redact": 3.0,
    "sweep": 10 / 60,
}

#: The queues of the default tenant; another tenant's has its name appended: `merge.acme`.
QUEUES = tuple(DEFAULT_RATES)

#: Where stock Celery puts messages that are sent without a queue; any tenant's may be there.
DEFAULT_QUEUE = "celery"

_RATE = re.compile(r"(?P<count>[0-9]{1,9}(?:\.[0-9]{1,9})?)/(?P<unit>[smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_QUEUE = re.compile(rf"(?:{'|'.join(QUEUES)})(?:\.[A-Za-z0-9][A-Za-z0-9_-]{{0,62}})?")


def parse_rate(text: str) -> float:
    """Return messages per second for `2/s`, `30/m` or `100/h`; raise `ValueError` otherwise."""
    match = _RATE.fullmatch(text.strip())
    if not match or float(match["count"]) == 0:
        raise ValueError("a rate is a number above 0 and a unit, such as 2/s, 30/m or 100/h")
    return float(match["count"]) / _SECONDS[match["unit"]]


def parse_rates(text: str) -> dict[str, float]:
    """Return queue → messages per second for `merge=2/s,redact=120/m`, or raise `ValueError`."""
    rates = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        queue, _, rate = (part.strip() for part in entry.partition("="))
        if not _QUEUE.fullmatch(queue):
            raise ValueError(f"each rate names a queue ({', '.join(QUEUES)}): merge=2/s,sync=5/s")
        rates[queue] = parse_rate(rate)
    return rates


def format_rate(per_second: float) -> str:
    """Return a rate as it is written, in the first unit that makes it whole: `2/s`, `30/m`."""
    for unit, seconds in _SECONDS.items():
        count = per_second * seconds
        if math.isclose(count, round(count)) and count >= 1:
            return f"{round(count)}/{unit}"
    return f"{per_second:g}/s"


def format_achieved(per_second: float, rate: float | None) -> str:
    """Return what was achieved in the unit that `rate` is written in: `28.5/m` of `30/m`."""
    unit = format_rate(rate)[-1] if rate else "s"
    return f"{round(per_second * _SECONDS[unit], 1):g}/{unit}"


def tenant_queue(queue: str, tenant: str) -> str:
    """Return the name of `tenant`'s queue of the kind `queue`."""
    return queue if tenant == DEFAULT_TENANT else f"{queue}.{tenant}"


def split_queue(name: str) -> tuple[str, str]:
    """Return the kind and the tenant of a queue's name."""
    kind, _, tenant = name.partition(".")
    return kind, tenant or DEFAULT_TENANT
