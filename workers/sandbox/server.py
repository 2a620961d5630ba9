"""The sandbox's HTTP server: every outside system under a prefix of its own, on one port."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import web

from workers.sandbox import control
from workers.sandbox.exchange import exchange
from workers.sandbox.judge import judge, no_route
from workers.sandbox.options import Options
from workers.sandbox.simulation import Simulation
from workers.sandbox.systems import SYSTEMS, System

#: For control requests; the simulated systems have a limit of their own.
MOST_BYTES = 64 * 1024 * 1024
SHUTDOWN_SECONDS = 0.1


def application(simulation: Simulation) -> web.Application:
    """The whole sandbox as an aiohttp application."""
    app = web.Application(client_max_size=MOST_BYTES)
    for name, system in SYSTEMS.items():
        serve_one = partial(exchange, simulation, system)
        for path in system.token_paths:
            app.router.add_post(f"/{name}{path}", partial(serve_one, path, system.give_token))
        for path, answer in system.public.items():
            app.router.add_get(f"/{name}{path}", partial(serve_one, path, answer))
        for route in system.routes:
            handle = partial(serve_one, route.path, judge(route))
            app.router.add_route(route.method, f"/{name}{route.path}", handle)
        app.router.add_route("*", f"/{name}/{{rest:.*}}", partial(_no_route, simulation, system))
    for method, path, command in control.COMMANDS:
        app.router.add_route(method, path, control.handler(simulation, command))

    async def close(_: web.Application) -> None:
        await simulation.world.notifications.close()

    app.on_cleanup.append(close)
    return app


async def _no_route(
    simulation: Simulation, system: System, request: web.Request
) -> web.StreamResponse:
    # A catch-all route instead of a middleware: aiohttp keeps every handler that it has once
    # wrapped in one, and with it the simulation, until its process ends.
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        _, methods = await resource.resolve(request)
        allowed |= methods - {"*"}
    return await exchange(simulation, system, None, no_route(allowed), request)


@asynccontextmanager
async def listening(simulation: Simulation, host: str, port: int) -> AsyncIterator[str]:
    """Serve while the context is open; it gives the URL, with the port that was free."""
    runner = web.AppRunner(
        application(simulation), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        bound = runner.addresses[0][1]
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{bound}"
    finally:
        await runner.cleanup()


def serve(
    host: str = "127.0.0.1", port: int = 0, *, seed: int = 7, options: Options | None = None
) -> None:
    """Run a sandbox until SIGTERM or SIGINT, on a free port unless told otherwise.

    Prints one line when it listens: `sandbox listening on http://127.0.0.1:PORT`.
    """
    simulation = Simulation(seed=seed, options=options or Options(), clock=time.time)
    asyncio.run(_serve(simulation, host, port))


async def _serve(simulation: Simulation, host: str, port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with listening(simulation, host, port) as url:
        print(f"sandbox listening on {url}", flush=True)
        await stopped.wait()
