"""Attributes set per second: one worker process against the guides' plain loop, in one run.

    python -m tests.benchmarks.bench_throughput --messages 200 --rounds 3

The plain loop makes the same three calls for the same conversations, one after the other over one
kept-alive connection, with no queue, ledger, lock, budget or audit record. Both run against one
sandbox, in turn; the ratio is that of each pair of rounds. Every answer is delayed by the API's
assumed latency.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import requests
from rich.console import Console
from rich.table import Table

from tasks.messages import SetAttributes
from tests.support.cluster import RATES
from workers.embedded import redis_server
from workers.embedded.system import Blueprint, Embedded, embedded
from workers.sandbox.testing import SandboxHandle

PARTICIPANTS = "/genesys/api/v2/conversations/voice/participants"
UNLIMITED = 10**9


def variables(sandbox_url: str) -> Mapping[str, str]:
    """Return the settings of a worker that no rate or budget holds back."""
    return {
        "QUEUE_RATES": RATES,
        "LOG_LEVEL": "ERROR",
        "GENESYS_API": "guide",
        "GENESYS_API_URL": f"{sandbox_url}/genesys",
        "GENESYS_LOGIN_URL": f"{sandbox_url}/genesys",
        "GENESYS_CLIENT_ID": "sandbox-client",
        "GENESYS_CLIENT_SECRET": "sandbox-secret",
        "GENESYS_REQUESTS_PER_MINUTE": str(UNLIMITED),
    }


def by_loop(url: str, conversations: Sequence[str], value: str) -> float:
    """Set `value` on each conversation, one call after the other; return messages per second."""
    with requests.Session() as session:
        form = {"grant_type": "client_credentials"}
        auth = ("sandbox-client", "sandbox-secret")
        token = session.post(f"{url}/genesys/oauth/token", data=form, auth=auth).json()
        session.headers["Authorization"] = f"Bearer {token['access_token']}"
        started = time.perf_counter()
        for conversation in conversations:
            _set(session, f"{url}{PARTICIPANTS}", conversation, value)
        return len(conversations) / (time.perf_counter() - started)


def _set(session: requests.Session, participants: str, conversation: str, value: str) -> None:
    query = {"conversationId": conversation}
    entities = session.get(participants, params=query).json()["entities"]
    chosen = next(each["id"] for each in entities if each["state"] in ("connected", "ringing"))
    body = {"participantAttributes": {"bench": value}}
    session.patch(f"{participants}/{chosen}", json=body).raise_for_status()
    session.get(f"{participants}/{chosen}", params=query).raise_for_status()


def by_worker(system: Embedded, conversations: Sequence[str], value: str) -> float:
    """Put one message per conversation on the queue; return messages per second until all ended."""
    services = system.app.services
    before = sum(1 for _ in services.audit.records("default"))
    started = time.perf_counter()
    for conversation in conversations:
        message = SetAttributes(conversation_id=conversation, attributes={"bench": value})
        services.producer.publish(message)
    stream = services.store.redis
    while int(stream.xlen("gw:audit:default")) < before + len(conversations):
        time.sleep(0.01)
    return len(conversations) / (time.perf_counter() - started)


def table(pairs: Sequence[tuple[float, float]], latency: float) -> Table:
    """Return the medians of both, and of the ratios pair by pair."""
    title = f"attributes set per second, API latency {latency * 1000:.0f} ms"
    shown = Table("plain loop", "one worker, 8 threads", "ratio", title=title)
    loops, workers = zip(*pairs, strict=True)
    ratio = median(worker / loop for loop, worker in pairs)
    shown.add_row(f"{median(loops):.0f}", f"{median(workers):.0f}", f"{ratio:.2f}")
    return shown


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=float, nargs="*", default=[0.0, 0.02, 0.05])
    asked = parser.parse_args()
    plan = Blueprint(redis=redis_server.find(), variables=variables, workers=1)
    with tempfile.TemporaryDirectory() as folder, embedded(plan, Path(folder), print) as system:
        sandbox = SandboxHandle(system.sandbox_url)
        sandbox.put_client("sandbox-client", requests_per_minute=UNLIMITED)
        sandbox.options(participants_per_second=UNLIMITED)
        conversations = (sandbox.ids("conversations", state="active") * 10)[: asked.messages]
        for latency in asked.latency:
            sandbox.clear_faults()
            sandbox.fault(system="genesys", kind="latency", seconds=latency, times=None)
            pairs = [
                (
                    by_loop(system.sandbox_url, conversations, f"loop {number} {latency}"),
                    by_worker(system, conversations, f"worker {number} {latency}"),
                )
                for number in range(asked.rounds)
            ]
            Console().print(table(pairs, latency))


if __name__ == "__main__":
    main()
