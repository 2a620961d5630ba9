"""One request from its arrival to its answer: journal, faults, judgement, delivery."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from workers.sandbox import delivery, faults
from workers.sandbox.arrival import Arrival, Judge
from workers.sandbox.call import Answer
from workers.sandbox.errors import Refused
from workers.sandbox.journal import Entry
from workers.sandbox.simulation import Simulation
from workers.sandbox.systems import System
from workers.sandbox.wire import encode, readable

LOG = logging.getLogger(__name__)

Fired = Sequence[faults.Fault]


async def exchange(
    simulation: Simulation, system: System, template: str | None, judge: Judge, request: web.Request
) -> web.StreamResponse:
    """Answer one request of `system`, whose route is `template` (None: unknown)."""
    started = time.perf_counter()
    arrival = await _arrive(simulation, system, template, request)
    arrival.faults = fired = simulation.faults.fire(arrival.entry)
    try:
        return await _answer(arrival, judge, fired)
    finally:
        simulation.journal.close(arrival.entry, (time.perf_counter() - started) * 1000)


async def _arrive(
    simulation: Simulation, system: System, template: str | None, request: web.Request
) -> Arrival:
    raw = await request.read()
    now = simulation.world.timeline.advance()
    headers, dialect = request.headers, system.dialect
    sent = next(filter(None, map(headers.get, dialect.correlation_headers)), None)
    entry = simulation.journal.open(
        at=now,
        system=system.name,
        method=request.method,
        path=request.path.removeprefix(f"/{system.name}"),
        query=request.query_string,
        route=template,
        correlation_id=readable(sent or simulation.correlation_id()),
        context_id=simulation.correlation_id() if dialect.makes_context else None,
        if_match=readable(headers["If-Match"]) if "If-Match" in headers else None,
    )
    entry.client = _sender(simulation, system, entry, raw, headers)
    if client := simulation.clients.get(entry.client or ""):
        entry.organization = client.organization
    return Arrival(
        simulation=simulation, dialect=dialect, request=request, raw=raw, entry=entry, now=now
    )


def _sender(
    simulation: Simulation, system: System, entry: Entry, raw: bytes, headers: Mapping[str, str]
) -> str | None:
    authentication = system.dialect.authentication
    if credential := authentication.credential(headers):
        token = authentication.token(simulation, credential)
        return token.client_id if token else None
    if entry.route in system.token_paths:
        client_id = authentication.applicant(raw, headers.get("Authorization", ""))
        return client_id and readable(client_id)
    return None


async def _answer(arrival: Arrival, judge: Judge, fired: Fired) -> web.StreamResponse:
    if any(isinstance(fault, faults.ResetBefore) for fault in fired):
        return delivery.reset(arrival.request)
    answer = await _instead(arrival, fired) or _judged(arrival, judge)
    arrival.entry.status = answer.status
    # Encoded at once: the body is the document itself, and others are about to change it.
    body = b"" if answer.body is None else encode(answer.body)
    if answer.status < 400:
        _write_as_another(arrival)
    return await _deliver(arrival, answer, body, fired)


async def _instead(arrival: Arrival, fired: Fired) -> Answer | None:
    client = arrival.entry.client
    for fault in fired:
        if isinstance(fault, faults.Latency):
            await asyncio.sleep(fault.seconds)
            arrival.now = arrival.simulation.world.timeline.advance()
        elif isinstance(fault, faults.ExpireTokens) and client is not None:
            arrival.simulation.tokens.expire(client)
        elif isinstance(fault, faults.Status):
            return _told_to_fail(fault, arrival)
    return None


def _told_to_fail(fault: faults.Status, arrival: Arrival) -> Answer:
    usual = Refused(fault.status, "fault.injected", "this request was told to fail")
    body = _said(arrival, usual) if fault.body is None else fault.body
    return Answer(status=fault.status, body=body, headers=fault.headers)


def _judged(arrival: Arrival, judge: Judge) -> Answer:
    try:
        return judge(arrival)
    except Refused as error:
        refusal = error
    except Exception as error:  # noqa: BLE001 - a server answers 500, whatever went wrong
        # Only the kind of error and its place are logged: its text may quote a body.
        place = _place(error)
        LOG.error("sandbox.handler_failed %s at %s", type(error).__name__, place)
        refusal = Refused(500, "internal.error", f"the sandbox itself failed at {place}")
    return Answer(status=refusal.status, body=_said(arrival, refusal), headers=refusal.headers)


def _said(arrival: Arrival, refusal: Refused) -> Mapping[str, Any]:
    return arrival.dialect.body(refusal, arrival.entry.context)


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "nowhere"


def _write_as_another(arrival: Arrival) -> None:
    call = arrival.call
    if call is None or call.route.foreign is None:
        return
    for fault in arrival.simulation.faults.fire_foreign(arrival.entry):
        call.route.foreign(call, fault.changes)


async def _deliver(
    arrival: Arrival, answer: Answer, body: bytes, fired: Fired
) -> web.StreamResponse:
    request, status = arrival.request, answer.status
    headers = _headers(arrival, answer)
    for fault in fired:
        if isinstance(fault, faults.LatencyAfter):
            await asyncio.sleep(fault.seconds)
        elif isinstance(fault, faults.ResetAfter):
            return delivery.reset(request)
        elif isinstance(fault, faults.SlowBody):
            return await delivery.send_slowly(request, status, headers, body, fault.seconds)
        elif isinstance(fault, faults.TruncatedBody):
            return await delivery.send_half(request, status, headers, body)
    if answer.converse is not None:
        return await answer.converse(request)
    return web.Response(status=status, body=body, headers=headers)


def _headers(arrival: Arrival, answer: Answer) -> dict[str, str]:
    dialect = arrival.dialect
    headers = {dialect.context_header: arrival.entry.context}
    if answer.body is not None:
        headers["Content-Type"] = "application/json"
    if arrival.budget is not None:
        options = arrival.simulation.options
        headers.update(dialect.rate_limit_headers(arrival.budget, arrival.now, options))
    return {**headers, **answer.headers}
