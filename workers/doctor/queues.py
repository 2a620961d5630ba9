"""Whether messages are carried out: who reads them, what is held up, and what was given up."""

from __future__ import annotations

from collections.abc import Iterator

from workers.app import Services
from workers.doctor.finding import Finding, bad, ok, warn
from workers.embedded.program import program
from workers.watching.status import QueueStatus, look
from workers.watching.strays import MOST


def served(services: Services) -> Iterator[Finding]:
    """Find whether workers live, and queues that hold messages which nobody reads."""
    seen = look(services)
    alive = sum(worker.alive for worker in seen.workers)
    if not alive:
        yield warn("no worker is alive", f"start one: {program()} worker")
    unread = [each for each in (*seen.queues, *seen.strays) if each.trouble]
    yield from map(_unread, unread)
    if alive and not unread:
        yield ok(f"{alive} alive, each queue that holds messages is read")
    if not seen.complete:
        yield warn(
            f"Redis has more than {MOST:,} keys: mistyped queues may be missing",
            "give this project a database of its own",
        )


def _unread(queue: QueueStatus) -> Finding:
    count = queue.waiting + queue.delayed + queue.leased
    remedy = "let its producer name a tenant of TENANTS_FILE, or add that tenant"
    if queue.trouble == "no worker reads it":
        remedy = f"start a worker for it: {program()} worker --queues {queue.name}"
    return bad(f"{queue.name} holds {count} messages: {queue.trouble}", remedy)


def held_up(services: Services) -> Iterator[Finding]:
    """Find the tenants that an operator has paused."""
    paused = sorted(look(services).pauses)
    if not paused:
        yield ok("no tenant is paused")
    for tenant in paused:
        yield warn(f"{tenant} is paused by an operator", f"{program()} rates resume {tenant}")


def given_up(services: Services) -> Iterator[Finding]:
    """Find how many messages could not be carried out."""
    count = services.dead_letters.count()
    if not count:
        yield ok("none")
    else:
        yield warn(
            f"{count} messages could not be carried out",
            f"{program()} dead-letters list tells why; replay or discard them",
        )
