"""The Celery app: tasks, queues, routes, delivery settings. The composition root.

`celery -A workers.app worker` finds `app` here; it is made on first use from the environment, and
a wrong setting stops the start with one line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging
from kombu import Queue

from tasks.apis.wire import Wire
from tasks.catalogue import OPERATIONS
from tasks.errors import SettingsError
from tasks.messages import DEFAULT_TENANT
from workers import broker
from workers.auditing.audit import Audit
from workers.auditing.audit_file import AuditFiles
from workers.consuming.task import OperationTask
from workers.letters.dead_letters import DeadLetters
from workers.letters.sealing import Seal
from workers.limits.admission import Terms, terms_of
from workers.limits.priority import in_order
from workers.limits.rates import DEFAULT_QUEUE, QUEUES, tenant_queue
from workers.metrics import of_worker
from workers.metrics.counts import Counts
from workers.operation import Runner
from workers.outside import systems
from workers.outside.tokens import SharedTokens
from workers.policy import adjusted
from workers.remembering.ledger import Ledger
from workers.remembering.locks import Locks
from workers.remembering.records import Records
from workers.sending.outbox import Outbox
from workers.sending.producer import Producer
from workers.settings import Settings
from workers.store import INFRASTRUCTURE, Store
from workers.tenants import Tenant, load_tenants
from workers.transport.claims import Claims, Question
from workers.transport.leases import Leases
from workers.watching import telemetry, tracing
from workers.watching.telemetry import log
from workers.watching.tracing import Tracer, untraced

RESULTS_SECONDS = 86_400

#: Messages a worker carries out at once, unless it is told otherwise; the work is waiting for HTTP.
THREADS = 16


@dataclass(frozen=True)
class Services:
    """The collaborators of one process, made once from its settings."""

    settings: Settings
    tenants: Mapping[str, Tenant]
    app: Celery
    tracing: Callable[[], Tracer] = untraced

    @cached_property
    def store(self) -> Store:
        return Store.connect(self.settings.redis_url)

    @cached_property
    def seal(self) -> Seal:
        key = self.settings.seal_key
        return Seal(key=key.get_secret_value() if key else None)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        return DeadLetters(store=self.store, seal=self.seal)

    @cached_property
    def audit(self) -> Audit:
        folder = self.settings.audit_dir
        sink = AuditFiles(folder=folder) if folder else None
        return Audit(store=self.store, keep=self.settings.audit_records, sink=sink)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(
            store=self.store,
            lease=self.settings.lease_seconds,
            keep=self.settings.ledger_seconds,
        )

    @cached_property
    def claims(self) -> Claims:
        return Claims(store=self.store)

    @cached_property
    def counts(self) -> Counts:
        return Counts()

    @cached_property
    def leases(self) -> Leases:
        """What this process has claimed; the consumer gives it the worker's name."""
        return Leases(
            claims=self.claims,
            worker="",
            lease=self.settings.lease_seconds,
            on_lost=self.counts.lease_lost,
        )

    @cached_property
    def terms(self) -> Mapping[str, Terms]:
        """The terms of every queue, by its name."""
        limits = {tenant.name: systems.budgets(tenant) for tenant in self.tenants.values()}
        return {
            queue.name: terms_of(queue.name, self.settings.rate, limits)
            for queue in queues(self.tenants)
        }

    def question(self, names: Sequence[str]) -> Question | None:
        """Return what a worker asks for that reads these queues; None where none holds work."""
        terms = [self.terms[name] for name in in_order(names) if name in self.terms]
        if not terms:
            return None
        return Question(worker=self.leases.worker, lease=self.leases.lease, terms=terms)

    def queue_of(self, task: Any, arguments: Mapping[str, Any]) -> str | None:
        """Return the queue a message belongs on; None where its task or tenant is not known."""
        queue = route(task, (), arguments, {})
        return queue["queue"] if queue and queue["queue"] in self.terms else None

    @cached_property
    def producer(self) -> Producer:
        return Producer(self.settings.redis_url)

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(
            app=self.producer.app,
            store=self.store,
            keep=self.settings.ledger_seconds,
            tracer=self.tracer,
        )

    @cached_property
    def tracer(self) -> Tracer:
        return self.tracing()

    @cached_property
    def wire(self) -> Wire:
        return Wire()

    @cached_property
    def locks(self) -> Locks:
        return Locks(store=self.store, lease=self.settings.lease_seconds)

    @cached_property
    def shared(self) -> systems.Shared:
        return systems.Shared(
            store=self.store,
            tokens=SharedTokens(store=self.store, seal=self.seal),
            locks=self.locks,
            timeouts=self.settings.timeouts,
            replication=self.settings.replication,
            remember=self.settings.ledger_seconds,
            seal=self.seal,
            wire=self.wire,
            counts=self.counts,
            tracer=self.tracer,
        )

    @cached_property
    def runner(self) -> Runner:
        return Runner(
            ledger=self.ledger,
            locks=self.locks,
            records=Records(
                store=self.store,
                ledger=self.ledger,
                audit=self.audit,
                dead_letters=self.dead_letters,
                counts=self.counts,
            ),
            counts=self.counts,
            connections=systems.connect(self.tenants.values(), self.shared),
            wire=self.wire,
            sending=self.outbox.sending,
            rules=adjusted(self.settings.error_policy),
            tracer=self.tracer,
        )

    def close(self) -> None:
        """Close the connections that the calling thread has opened."""
        self.wire.close()
        self.store.redis.close()
        self.app.close()


class WorkersApp(Celery):
    """The Celery app with this project's services."""

    services: Services


def create_app(
    settings: Settings,
    tenants: Mapping[str, Tenant],
    tracing: Callable[[], Tracer] = untraced,
) -> WorkersApp:
    """Return the app for `settings` and `tenants`, traced by what `tracing` returns once it works.

    Nothing is connected yet.
    """
    app = WorkersApp("genesys-workers", set_as_current=False)
    app.services = Services(settings, tenants, app, tracing)
    app.conf.update(delivery_settings(settings), task_queues=queues(tenants))
    for operation in OPERATIONS:
        app.register_task(OperationTask(operation, lambda: app.services.runner))
    return app


def queues(tenants: Iterable[str]) -> list[Queue]:
    """Return every queue that workers read: each kind for each tenant, and the default one."""
    names = [tenant_queue(kind, tenant) for tenant in tenants for kind in QUEUES]
    return [Queue(name, routing_key=name) for name in (*names, DEFAULT_QUEUE)]


def delivery_settings(settings: Settings) -> dict[str, Any]:
    """Return Celery's configuration; each value is a promise of the README."""
    return {
        **broker.parse(settings.redis_url).sending(),
        **broker.parse(settings.result_backend or settings.redis_url).results(),
        "result_expires": RESULTS_SECONDS,
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": DEFAULT_QUEUE,
        "task_routes": (route,),
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_send_sent_event": False,
        "worker_send_task_events": True,
        "worker_pool": "threads",
        "worker_concurrency": THREADS,
        "worker_prefetch_multiplier": 1,
        "worker_consumer": "workers.consuming.consumer:ClaimingConsumer",
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "result_backend_always_retry": True,
        "result_backend_max_sleep_between_retries_ms": 500,
        "broker_connection_retry_on_startup": True,
    }


def route(name: str, args: Any, kwargs: Any, options: Any, **_: Any) -> dict[str, str] | None:  # noqa: ARG001  # Celery's call
    """Return the queue of a message that is sent without one: its task's, of its tenant."""
    kinds = {operation.task: operation.queue for operation in OPERATIONS}
    if name not in kinds:
        return None
    return {"queue": tenant_queue(kinds[name], (kwargs or {}).get("tenant", DEFAULT_TENANT))}


def from_environment(**chosen: Any) -> WorkersApp:
    """Return the app that the environment describes, with what is `chosen` in its place.

    Sets up logging and metrics for its workers.
    """
    settings = Settings.load(**chosen)
    app = create_app(settings, load_tenants(settings), tracing.chosen)

    @setup_logging.connect(weak=False)
    def _configure(**_: Any) -> None:
        telemetry.configure(level=settings.log_level, form=settings.log_format)
        if settings.seal_key is None:
            log.warning("state.unsealed", remedy="set SEAL_KEY to encrypt dead letters and tokens")

    @celeryd_init.connect(weak=False)
    def _check(**_: Any) -> None:
        try:
            broker.check(app.services.store.redis)
        except SettingsError as error:
            print(f"genesys-workers: {error}", file=sys.stderr)
            raise SystemExit(error.exit_code) from None
        except INFRASTRUCTURE:
            pass  # Celery waits for a Redis that is away

    of_worker.connect(app)
    tracing.connect(app)
    return app


def __getattr__(name: str) -> Any:
    """Make `app` when it is first asked for, so that importing this module reads no settings."""
    if name not in ("app", "celery"):
        raise AttributeError(name)
    try:
        globals()[name] = from_environment()
    except SettingsError as error:
        raise SystemExit(f"genesys-workers: {error}") from None
    return globals()[name]
