"""A sandbox inside the test's own process, and a handle to look at it and change it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import requests
import simplejson

from workers.sandbox.notifications.conversation_events import queue_id
from workers.sandbox.options import Options
from workers.sandbox.server import listening
from workers.sandbox.simulation import Simulation
from workers.sandbox.wire import encode

TIMEOUT_SECONDS = 10


class ManualClock:
    """A clock that goes only when it is told to; `now` is epoch seconds."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let that much time pass."""
        self.now += seconds


class SandboxHandle:
    """The control interface of a running sandbox; may be used from any thread."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.genesys_url = f"{url}/genesys"
        self.cxone_url = f"{url}/cxone"
        self.platform_url = f"{url}/platform"
        self.dfo_url = f"{url}/dfo"
        self.cognigy_url = f"{url}/cognigy"

    def journal(self, **filters: Any) -> list[dict[str, Any]]:
        """The requests that agree with every filter, oldest first."""
        requests_: list[dict[str, Any]] = self._ask("GET", "/journal", query=filters)["requests"]
        return requests_

    def effects(self, **filters: Any) -> list[dict[str, Any]]:
        """The changes that agree with every filter, oldest first."""
        effects: list[dict[str, Any]] = self._ask("GET", "/effects", query=filters)["effects"]
        return effects

    def summary(self) -> dict[str, Any]:
        """Counts by route and status, and by kind of effect."""
        return self._ask("GET", "/summary")

    def ids(self, kind: str, organization: str = "default", **fields: Any) -> list[str]:
        """The ids of an organisation's documents whose top-level fields agree."""
        query = {"organization": organization, **fields}
        ids: list[str] = self._ask("GET", f"/state/{kind}", query=query)["ids"]
        return ids

    def get(self, kind: str, entity_id: str, organization: str = "default") -> dict[str, Any]:
        """One document; fractions are `Decimal`, with the digits they were written with."""
        query = {"organization": organization}
        return self._ask(
            "GET", f"/state/{kind}/{quote(entity_id, safe='')}", query=query, use_decimal=True
        )

    def put(
        self, kind: str, entity_id: str, body: dict[str, Any], organization: str = "default"
    ) -> dict[str, Any]:
        """Add or replace a document and return it with its defaults."""
        query = {"organization": organization}
        return self._ask(
            "PUT",
            f"/state/{kind}/{quote(entity_id, safe='')}",
            query=query,
            body=body,
            use_decimal=True,
        )

    def put_many(
        self, kind: str, documents: dict[str, dict[str, Any]], organization: str = "default"
    ) -> None:
        """Add or replace documents, by id, in one request."""
        query = {"organization": organization}
        self._ask("PUT", f"/state/{kind}", query=query, body=documents)

    def organizations(self) -> dict[str, list[str]]:
        """The organisation ids (`org-001`, …) that each tenant manages."""
        listed = self._ask("GET", "/organizations")["organizations"]
        return {each["id"]: each["organizationIds"] for each in listed}

    def clients(self) -> list[dict[str, Any]]:
        """The OAuth clients, without their secrets."""
        clients: list[dict[str, Any]] = self._ask("GET", "/clients")["clients"]
        return clients

    def put_client(self, client_id: str, **fields: Any) -> dict[str, Any]:
        """Add an OAuth client, or change the fields given of one that exists."""
        return self._ask("PUT", f"/clients/{quote(client_id, safe='')}", body=fields)

    def fault(self, **fault: Any) -> str:
        """Set a fault and return its id."""
        fault_id: str = self._ask("POST", "/faults", body=fault)["id"]
        return fault_id

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are set, with how often each has hit (`hits`)."""
        faults: list[dict[str, Any]] = self._ask("GET", "/faults")["faults"]
        return faults

    def clear_faults(self) -> None:
        """Take all faults back."""
        self._ask("DELETE", "/faults")

    def options(self, **changes: Any) -> dict[str, Any]:
        """Change the options given and return all of them."""
        return self._ask("PUT", "/options", body=changes)

    def emit(self, topic: str, body: dict[str, Any], organization: str = "default") -> str:
        """Send an event out, as it is, and return its id."""
        wanted = {"emit": [{"topic": topic, "body": body}]}
        event_ids: list[str] = self._ask(
            "POST", "/events", query={"organization": organization}, body=wanted
        )["ids"]
        return event_ids[0]

    def start_stream(self, organization: str = "default", **plan: Any) -> None:
        """Let customers of an organisation do things (`notifications.stream.Plan`)."""
        query = {"organization": organization}
        self._ask("POST", "/events", query=query, body={"start": plan})

    def stop_stream(self) -> dict[str, Any]:
        """End the stream; what has happened is delivered. Return `{running, delivered}`."""
        return self._ask("POST", "/events", body={"stop": True})

    def add_target(self, url: str, secret: str, organization: str = "default", **plan: Any) -> str:
        """Push what happens from now on to a URL, as EventBridge does; return the target's id.

        The options are those of `notifications.targets.TargetPlan`.
        """
        query = {"organization": organization}
        body = {"target": {"url": url, "secret": secret, **plan}}
        target_id: str = self._ask("POST", "/events", query=query, body=body)["id"]
        return target_id

    def remove_targets(self) -> None:
        """Push nothing any more."""
        self._ask("DELETE", "/targets")

    def events(self, form: str = "log", **filters: Any) -> list[dict[str, Any]]:
        """What was sent out, oldest first: as `log`, `detail` or `eventbridge`."""
        query = {"form": form, **filters}
        events: list[dict[str, Any]] = self._ask("GET", "/events", query=query)["events"]
        return events

    def events_summary(self, **filters: str) -> dict[str, Any]:
        """`{events, occurrences: {kind: n}, stream, targets}`: what was told, and to whom.

        The filters are `organization` and `contract`.
        """
        return self._ask("GET", "/events/summary", query=filters)

    def channels(self) -> list[dict[str, Any]]:
        """The notification channels that live, with their topics and whether they are heard."""
        channels: list[dict[str, Any]] = self._ask("GET", "/channels")["channels"]
        return channels

    def sockets(self, order: str, channel: str | None = None) -> int:
        """Do something to a channel's socket, or to all, and return to how many.

        The orders: drop, close, closing, mute, expire, revoke_token.
        """
        count: int = self._ask("POST", "/sockets", body={"order": order, "channel": channel})[
            "count"
        ]
        return count

    def end_conversation(
        self, conversation_id: str, organization: str = "default"
    ) -> dict[str, Any]:
        """Let a conversation of the Platform API, or an interaction, end now, and return it."""
        query = {"organization": organization}
        return self._ask("POST", f"/conversations/{conversation_id}/end", query=query)

    def queue_id(self, organization: str = "default") -> str:
        """The queue that an organisation's message conversations are in."""
        return queue_id(organization)

    def reset(self, seed: int | None = None) -> None:
        """Begin again as at the start, with another seed if one is given."""
        self._ask("POST", "/reset", body={} if seed is None else {"seed": seed})

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        use_decimal: bool = False,
    ) -> dict[str, Any]:
        url = f"{self.url}/sandbox{path}"
        data = None if body is None else encode(body)
        with requests.Session() as session:
            session.trust_env = False
            response = session.request(
                method, url, params=query, data=data, timeout=TIMEOUT_SECONDS
            )
        answer: dict[str, Any] = simplejson.loads(response.content, use_decimal=use_decimal)
        if response.status_code >= 400:
            raise ValueError(f"{method} {path}: {answer['message']}")
        return answer


@contextmanager
def running(
    *, seed: int = 7, clock: Callable[[], float] = time.time, **options: Any
) -> Iterator[SandboxHandle]:
    """Run a sandbox in a thread, on a free port of 127.0.0.1, while the context is open."""
    simulation = Simulation(seed=seed, options=Options(**options), clock=clock)
    host = _Host(simulation)
    host.start()
    try:
        yield SandboxHandle(host.url())
    finally:
        host.stop()


class _Host(threading.Thread):
    """Runs the server in an event loop of its own."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(name="sandbox", daemon=True)
        self._simulation = simulation
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._url: str | None = None
        self._stopped = asyncio.Event()

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        async with listening(self._simulation, "127.0.0.1", 0) as url:
            self._url = url
            self._ready.set()
            await self._stopped.wait()

    def url(self) -> str:
        """Wait until it listens."""
        self._ready.wait(TIMEOUT_SECONDS)
        if self._url is None:
            raise RuntimeError("the sandbox did not start")
        return self._url

    def stop(self) -> None:
        """Stop listening and wait for the thread."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self.join(TIMEOUT_SECONDS)
