"""Spans as the SDK ended them, and a collector that they are sent to. Needs the extra `otel`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from workers.embedded.loopback import HOST, url_of
from workers.watching.otel import PREFIX, OtelTracer


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A span that has ended; `parent` is "" where it begins its trace.

    `link` is the header that links a message to it, `texts` all that it says.
    """

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    failed: bool
    facts: Mapping[str, Any]
    link: str
    texts: str


class Spans:
    """A tracer, and what it has made."""

    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._kept))
        self.tracer = OtelTracer(provider)

    def ended(self, *names: str) -> list[Ended]:
        """Return the spans that have ended, those with one of `names`, in that order."""
        found = [_ended(span) for span in self._kept.get_finished_spans()]
        return [each for each in found if not names or each.name in names]


def _ended(span: ReadableSpan) -> Ended:
    attributes = dict(span.attributes or {})
    context = span.get_span_context()
    assert context is not None
    trace, name = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    return Ended(
        name=span.name,
        kind=span.kind.name.lower(),
        trace=trace,
        id=name,
        link=f"00-{trace}-{name}-{context.trace_flags:02x}",
        parent=f"{span.parent.span_id:016x}" if span.parent else "",
        failed=not span.status.is_ok and not span.status.is_unset,
        facts={name.removeprefix(f"{PREFIX}."): value for name, value in attributes.items()},
        texts=span.to_json(),
    )


@dataclass(kw_only=True)
class Collector:
    """What was sent to it: the name of each span, by the process that had it."""

    url: str = ""
    services: set[str] = field(default_factory=set)
    names: list[str] = field(default_factory=list)
    traces: set[bytes] = field(default_factory=set)

    def take(self, body: bytes) -> None:
        sent = ExportTraceServiceRequest.FromString(body)
        for resource in sent.resource_spans:
            named = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.services.add(named["service.name"])
            spans = [span for scope in resource.scope_spans for span in scope.spans]
            self.names += [span.name for span in spans]
            self.traces |= {span.trace_id for span in spans}


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector until the block ends."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        collector.url = url_of(HOST, server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
