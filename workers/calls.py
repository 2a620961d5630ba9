"""What one attempt of an operation asked of outside systems: counted, and logged by route."""

from __future__ import annotations

from tasks.apis.calls import Call
from workers.telemetry import log


class CountedCalls:
    """Implements `CallLog`; `made` is the number of requests sent so far."""

    def __init__(self) -> None:
        self.made = 0

    def sending(self, call: Call, *, within: float) -> None:
        self.made += 1
        log.debug("api.sending", method=call.method, route=call.route, within=within)

    def answered(self, call: Call, *, status: int | None, seconds: float) -> None:
        expected = status is not None and (status < 400 or status in call.allowed)
        say = log.debug if expected else log.info
        ms = round(seconds * 1000, 1)
        say("api.answered", method=call.method, route=call.route, status=status, ms=ms)
