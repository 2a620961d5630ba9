"""The process that Flower runs in."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery import Celery
from flower.app import Flower, rewrite_handler
from flower.command import apply_env_options, extract_settings, setup_logging
from flower.options import options
from flower.urls import settings as stock
from tornado.options import Error

from tasks.errors import SettingsError
from tasks.messages import DEFAULT_TENANT
from workers import broker
from workers.app import queues
from workers.flower import access
from workers.flower.events import masking
from workers.flower.pages import HANDLERS, Templates
from workers.limits.rates import DEFAULT_QUEUE
from workers.metrics.address import Address
from workers.settings import Settings
from workers.tenants import tenant_names
from workers.watching.telemetry import log

#: What this command decides itself. `FLOWER_PORT` is also what Kubernetes says of a service.
_OURS = ("address", "port", "unix_socket", "basic_auth", "read_only", "persistent", "db", "debug")

#: Tasks that are remembered unless FLOWER_MAX_TASKS says otherwise: a thousand take five megabytes.
_REMEMBERED = 20_000

#: Milliseconds between two savings of what is kept.
_SAVED_EVERY = 60_000


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where Flower is seen, what it may do, and the file, if any, in which it keeps what it saw."""

    address: str
    port: int
    control: bool = False
    kept_in: Path | None = None


def run(settings: Settings, place: Place) -> None:
    """Show Flower until TERM or Ctrl-C.

    Raises `SettingsError` where it may not, or cannot, be shown there.
    """
    _choose(settings, place)
    flower = Flower(
        capp=_app(settings), options=options, **{**stock, "template_loader": Templates()}
    )
    flower.lease = settings.lease_seconds
    prefix = options.url_prefix
    flower.add_handlers(
        r".*", [rewrite_handler(each, prefix) if prefix else each for each in HANDLERS]
    )
    flower.events.on_event = masking(flower.events.on_event)
    port = _listen(flower, place)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log.info("flower.shown", address=str(Address(host=place.address, port=port)))
    try:
        flower.start()
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        flower.stop()


def _choose(settings: Settings, place: Place) -> None:
    """Set Flower's options: its own variables first, and then what is decided here."""
    for name in (*_OURS, "unauthenticated_api"):
        os.environ.pop(f"FLOWER_{name.upper()}", None)
    options.max_tasks = _REMEMBERED
    try:
        apply_env_options()
    except (ValueError, Error):
        raise SettingsError("FLOWER_…: a variable of Flower's own has a wrong value") from None
    options.address, options.port = place.address, place.port
    options.read_only = not place.control
    options.basic_auth = access.credentials(settings)
    protected = bool(options.basic_auth or options.auth)
    access.check(place.address, protected=protected, control=place.control)
    if not protected:
        log.warning("flower.open", remedy="set FLOWER_PASSWORD: all of this machine may look")
    if place.kept_in:
        _keep_in(place.kept_in)
    extract_settings()
    setup_logging()


def _keep_in(path: Path) -> None:
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise SettingsError(f"--persistent: {path} is no file in a folder that can be written to")
    os.umask(0o077)
    options.persistent, options.db = True, str(path)
    options.state_save_interval = options.state_save_interval or _SAVED_EVERY


def _app(settings: Settings) -> Celery:
    """Return an app that reaches the broker, and neither results nor outside systems."""
    app = Celery("genesys-workers", set_as_current=False)
    app.conf.update(
        **broker.parse(settings.redis_url).sending(),
        task_serializer="json",
        accept_content=["json"],
        task_default_queue=DEFAULT_QUEUE,
        task_queues=queues(_tenants(settings)),
    )
    return app


def _tenants(settings: Settings) -> list[str]:
    try:
        return tenant_names(settings)
    except SettingsError as error:
        log.warning("flower.tenants_unknown", reason=str(error))
        return [DEFAULT_TENANT]


def _listen(flower: Any, place: Place) -> int:
    try:
        port: int = flower.start_http_server()
    except OSError as error:
        where = Address(host=place.address, port=place.port)
        rule = os.strerror(error.errno) if error.errno and error.errno > 0 else "unknown host"
        raise SettingsError(f"flower: cannot listen on {where}: {rule}") from None
    return port
