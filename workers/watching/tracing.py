"""Spans of work: none, unless OpenTelemetry's own variables say where they go.

A span tells how long something took and how it ended. What follows from it in another process is
linked to it by headers of the message (W3C Trace Context), which are no part of what a message asks
for. Spans hold ids, names and numbers, as log lines do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib import util
from typing import Any, Literal, Protocol

from celery.signals import celeryd_after_setup, worker_process_shutdown, worker_shutdown
from dotenv import dotenv_values

from workers.settings import ENV_FILE
from workers.watching.telemetry import describe, log

#: The headers that link a message to the span which it follows from.
LINKS = ("traceparent", "tracestate")

#: OpenTelemetry's variables that say where spans go, and those that say nowhere all the same.
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
OFF = {"OTEL_TRACES_EXPORTER": "none", "OTEL_SDK_DISABLED": "true"}

#: What begins work, what asks another system, what puts a message on the broker.
Kind = Literal["consumer", "client", "producer"]

Fact = str | int | float | None


class Span(Protocol):
    """A stretch of work."""

    def tell(self, **facts: Fact) -> None:
        """Add facts; None adds nothing."""
        ...

    def headers(self) -> Mapping[str, str]:
        """Return what links a message to it."""
        ...

    def end(self, *, failed: bool = False) -> None:
        """End it."""
        ...


class Tracer(Protocol):
    """Makes spans. It never raises, and never keeps work waiting."""

    def begin(self, name: str, kind: Kind, **facts: Fact) -> Span:
        """Begin a span, within the one that this thread works in."""
        ...

    def attempt(
        self, name: str, headers: Mapping[str, str], **facts: Fact
    ) -> AbstractContextManager[Span]:
        """Work in a span in the block; it follows from the one that a message's `headers` name.

        It has failed where no good `status` was told of it.
        """
        ...

    def headers(self) -> Mapping[str, str]:
        """Return what links a message to the span that this thread works in, if any."""
        ...

    def close(self) -> None:
        """Send what has ended, within a few seconds."""
        ...


class _NoSpan:
    """Implements `Span`, and the block of one."""

    def tell(self, **facts: Fact) -> None:
        """Keep nothing."""

    def headers(self) -> Mapping[str, str]:
        return _NO_HEADERS

    def end(self, *, failed: bool = False) -> None:
        """Tell nobody."""

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_: object) -> None:
        return


_NO_HEADERS: Mapping[str, str] = {}
#: Of what nobody traces.
NO_SPAN = _NoSpan()


class Untraced:
    """Implements `Tracer`: makes none."""

    def begin(self, name: str, kind: Kind, **facts: Fact) -> Span:  # noqa: ARG002
        return NO_SPAN

    def attempt(
        self,
        name: str,  # noqa: ARG002
        headers: Mapping[str, str],  # noqa: ARG002
        **facts: Fact,  # noqa: ARG002
    ) -> AbstractContextManager[Span]:
        return NO_SPAN

    def headers(self) -> Mapping[str, str]:
        return _NO_HEADERS

    def close(self) -> None:
        """Send nothing."""


UNTRACED = Untraced()


def untraced() -> Tracer:
    """Return the tracer of processes that are none of the work."""
    return UNTRACED


def chosen() -> Tracer:
    """Return the tracer that the environment and `.env` ask for, and tell of it in the log.

    Whatever is wrong with it stops no work.
    """
    if not _wanted():
        return UNTRACED
    if not _installed():
        log.warning("tracing.unavailable", remedy="install genesys-workers[otel]")
        return UNTRACED
    from workers.watching import otel

    try:
        tracer = otel.exporting()
    except Exception as error:  # noqa: BLE001  # a variable of theirs may be wrong in any way
        log.error("tracing.failed", error=describe(error))
        return UNTRACED
    log.info("tracing.started")
    return tracer


def _wanted() -> bool:
    for name, value in dotenv_values(ENV_FILE).items():
        # OpenTelemetry reads the environment alone.
        if name.startswith("OTEL_") and value is not None:
            os.environ.setdefault(name, value)
    off = (os.environ.get(name, "").strip().lower() == value for name, value in OFF.items())
    return any(os.environ.get(name, "").strip() for name in ENDPOINTS) and not any(off)


def _installed() -> bool:
    try:
        return util.find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


def links(header: Callable[[str], Any]) -> Mapping[str, str]:
    """Return what links a message whose headers `header` gives, as far as it makes sense."""
    found = {name: header(name) for name in LINKS}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def connect(app: Any) -> None:
    """Have the workers of `app` tell at their start whether they trace, and send all at their end.

    A pool's processes send what is theirs.
    """

    @celeryd_after_setup.connect(weak=False)
    def _begin(**_: Any) -> None:
        _ = app.services.tracer

    @worker_shutdown.connect(weak=False)
    @worker_process_shutdown.connect(weak=False)
    def _end(**_: Any) -> None:
        app.services.tracer.close()
