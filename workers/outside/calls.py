"""What one attempt of an operation asked of outside systems: counted, and logged by route."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tasks.apis.calls import Call, CallLog
from workers.watching.telemetry import log
from workers.watching.tracing import NO_SPAN, Span, Tracer


def _nothing(_: str, __: float) -> None:
    return


def _was_expected(call: Call, status: int | None) -> bool:
    return status is not None and (status < 400 or status in call.allowed)


@dataclass(kw_only=True)
class CountedCalls:
    """Implements `CallLog`.

    `intend` is told, before each request that changes something, its route and the seconds within
    which the change happens or never will. `made` is the number of requests sent so far, `touched`
    whether one of them has changed something, or may have.
    """

    intend: Callable[[str, float], None] = _nothing
    made: int = 0
    touched: bool = False

    def sending(self, call: Call, *, within: float) -> None:
        if call.effect:
            self.intend(call.route, within)
        self.made += 1
        log.debug("api.sending", method=call.method, route=call.route, within=within)

    def answered(
        self, call: Call, *, status: int | None, seconds: float, reference: str = ""
    ) -> None:
        refused = status is not None and 300 <= status < 500
        self.touched = self.touched or (call.effect and not refused)
        facts = {"method": call.method, "route": call.route, "status": status}
        ms = round(seconds * 1000, 1)
        if _was_expected(call, status):
            log.debug("api.answered", **facts, ms=ms)
        else:
            log.info("api.answered", **facts, ms=ms, reference=reference)


@dataclass(frozen=True, kw_only=True)
class MeteredCalls:
    """Implements `CallLog`: tells `log`, and `count` of what has ended."""

    log: CallLog
    count: Callable[[Call, int | None, float], None]

    def sending(self, call: Call, *, within: float) -> None:
        self.log.sending(call, within=within)

    def answered(self, call: Call, *, status: int | None, seconds: float, reference: str) -> None:
        self.count(call, status, seconds)
        self.log.answered(call, status=status, seconds=seconds, reference=reference)


@dataclass(kw_only=True)
class TracedCalls:
    """Implements `CallLog`: tells `log`, and has a span of each exchange, one at a time.

    Every span has the facts `about` it.
    """

    log: CallLog
    tracer: Tracer
    about: Mapping[str, str]
    _span: Span = field(default=NO_SPAN, repr=False)

    def sending(self, call: Call, *, within: float) -> None:
        self.log.sending(call, within=within)
        self._span = self.tracer.begin(
            f"{call.method} {call.route}",
            "client",
            method=call.method,
            route=call.route,
            **self.about,
        )

    def answered(self, call: Call, *, status: int | None, seconds: float, reference: str) -> None:
        self._span.tell(http_status=status)
        self._span.end(failed=not _was_expected(call, status))
        self.log.answered(call, status=status, seconds=seconds, reference=reference)
