"""Spans by OpenTelemetry's SDK, sent by OTLP over HTTP.

Its own variables say where to and how: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS,
OTEL_TRACES_SAMPLER and the others. No span keeps the text of an error.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from workers.watching.tracing import Fact, Kind

#: What we are called, unless OTEL_SERVICE_NAME says otherwise.
SERVICE = "genesys-workers"

#: Facts for which OpenTelemetry has a name; all others begin with ours.
NAMES = {
    "method": "http.request.method",
    "route": "url.template",
    "http_status": "http.response.status_code",
}
PREFIX = "genesys_workers"

#: How an attempt ends that has not failed.
WELL = frozenset({"done", "accepted", "noop", "put_back"})

#: Seconds for which the end of a process waits until its last spans are sent.
PATIENCE = 5.0

_KINDS: Mapping[Kind, trace.SpanKind] = {
    "consumer": trace.SpanKind.CONSUMER,
    "client": trace.SpanKind.CLIENT,
    "producer": trace.SpanKind.PRODUCER,
}
_PROPAGATOR = TraceContextTextMapPropagator()


class OtelSpan:
    """Implements `Span`."""

    def __init__(self, span: trace.Span, facts: Mapping[str, Fact]) -> None:
        self.span = span
        self.status: Fact = None
        self.tell(**facts)

    def tell(self, **facts: Fact) -> None:
        self.status = facts.get("status", self.status)
        named = {NAMES.get(name, f"{PREFIX}.{name}"): value for name, value in facts.items()}
        self.span.set_attributes(
            {name: value for name, value in named.items() if value is not None}
        )

    def headers(self) -> Mapping[str, str]:
        return _headers(self.span)

    def end(self, *, failed: bool = False) -> None:
        if failed:
            self.span.set_status(trace.StatusCode.ERROR)
        self.span.end()


class OtelTracer:
    """Implements `Tracer` with a provider of its own: what else a process traces is not touched."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(PREFIX)

    def begin(self, name: str, kind: Kind, **facts: Fact) -> OtelSpan:
        return OtelSpan(self._tracer.start_span(name, kind=_KINDS[kind]), facts)

    @contextmanager
    def attempt(self, name: str, headers: Mapping[str, str], **facts: Fact) -> Iterator[OtelSpan]:
        after = _PROPAGATOR.extract(headers)
        span = OtelSpan(self._tracer.start_span(name, after, kind=_KINDS["consumer"]), facts)
        try:
            with trace.use_span(span.span, record_exception=False, set_status_on_exception=False):
                yield span
        finally:
            span.end(failed=span.status not in WELL)

    def headers(self) -> Mapping[str, str]:
        return _headers(trace.get_current_span())

    def close(self) -> None:
        # Whoever is to receive them may be away; the process is not to wait for that.
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(PATIENCE)


def _headers(span: trace.Span) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers, trace.set_span_in_context(span))
    return headers


def exporting() -> OtelTracer:
    """Return a tracer whose spans go where OpenTelemetry's variables say, a batch at a time."""
    named = Resource({SERVICE_NAME: SERVICE}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=Resource.create().merge(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return OtelTracer(provider)
