"""Revoked messages: kept in Redis, so that `revoke` reaches messages that wait or are delayed.

Celery keeps them in the memory of the workers that run, for a few hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from celery.worker import control
from kombu.utils.functional import maybe_list

from tasks.fields import is_identifier
from workers.store import Store, key

REVOKED = key("revoked")


def remember(store: Store, ids: Iterable[Any], keep: float) -> None:
    """Remember for `keep` seconds that the messages with these `ids` are revoked."""
    now = store.now()
    known = {str(each): now for each in ids if is_identifier(each)}
    store.redis.zremrangebyscore(REVOKED, "-inf", now - keep)
    if known:
        store.redis.zadd(REVOKED, known)


#: Celery's own command, which ours takes the place of; its stubs do not know it.
_stock: Any = vars(control)["revoke"]


@control.control_command(name="revoke", variadic="task_id", signature="[id1 [id2 […]]]")
def _revoke(worker: Any, task_id: Any, terminate: bool = False, **options: Any) -> Any:  # noqa: ARG001  # Celery's call
    """Revoke task by task id (or list of ids). What runs already ends by itself.

    A thread cannot be terminated, and a process that is would leave it open what it has done.
    """
    services = worker.app.services
    remember(services.store, maybe_list(task_id) or [], services.settings.ledger_seconds)
    return _stock(worker, task_id, terminate=False, **options)


@control.control_command(
    name="terminate", args=[("signal", str)], variadic="task_id", signature="<signal> [id1 […]]"
)
def _terminate(worker: Any, signal: Any, task_id: Any, **options: Any) -> Any:  # noqa: ARG001  # Celery's call
    """Revoke task by task id (or list of ids): as `revoke`, it terminates nothing."""
    return _revoke(worker, task_id, **options)
