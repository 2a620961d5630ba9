"""Messages put on a queue a second: the bridge's publisher against single calls of stock Celery.

    python -m tests.benchmarks.bench_publishing --messages 5000 --pairs 5 --callers 100

Both put messages of one kind on one Redis, in turn, in pairs. Celery sends one after the other and
remembers nothing. The publisher has many callers, each with one message at a time, and decides of
each whether it is new; it is measured with shares of messages that are not, too. Processor time is
that of the sending process, and of Redis, for each message.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from celery import Celery
from redis import Redis
from rich.console import Console
from rich.table import Table

from tests.benchmarks import processor
from tests.support.occurring import wanted
from tests.support.redis import redis_server
from workers.app import Services, create_app
from workers.bridge.judging import occurrences
from workers.bridge.judging.matching import Wanted
from workers.bridge.publishing.publisher import Publisher
from workers.settings import Settings

#: The shares of what is offered that is known already.
KNOWN = (0.0, 0.5, 0.9)

#: Goes round any list whose length it does not divide, far from one step to the next.
STRIDE = 7_919

MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Messages a second, and processor microseconds of each."""

    rate: float
    sender: float
    redis: float


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One Redis, and who sends to it."""

    redis: Redis
    services: Services
    producer: Celery
    callers: int

    def stock(self, offered: Sequence[Wanted]) -> Cost:
        """Send each message by a call of Celery's."""
        return self._measured(offered, self._send)

    def ours(self, offered: Sequence[Wanted]) -> Cost:
        """Put each message by a call of the publisher's."""
        return self._measured(offered, lambda all_: asyncio.run(self._put(all_)))

    def _measured(
        self, offered: Sequence[Wanted], work: Callable[[Sequence[Wanted]], object]
    ) -> Cost:
        redis, sender = processor.of_server(self.redis), time.process_time()
        started = time.perf_counter()
        work(offered)
        seconds = time.perf_counter() - started
        return Cost(
            rate=len(offered) / seconds,
            sender=(time.process_time() - sender) * MILLION / len(offered),
            redis=(processor.of_server(self.redis) - redis) * MILLION / len(offered),
        )

    def _send(self, offered: Sequence[Wanted]) -> None:
        for each in offered:
            arguments: dict[str, Any] = each.message.arguments()
            self.producer.send_task(
                each.message.task,
                kwargs=arguments,
                queue=each.message.queue,
                task_id=each.message.operation_id,
            )

    async def _put(self, offered: Sequence[Wanted]) -> None:
        waiting = iter(offered)

        async def call(publisher: Publisher) -> None:
            for each in waiting:
                await publisher.put([each])

        async with Publisher(self.services) as publisher:
            await asyncio.gather(*(call(publisher) for _ in range(self.callers)))


@contextmanager
def bench(callers: int) -> Iterator[Bench]:
    """Give a Redis of its own until the block ends."""
    with (
        tempfile.TemporaryDirectory() as folder,
        redis_server(Path(folder)) as url,
        Redis.from_url(url) as redis,
        Celery("stock", broker=url, set_as_current=False) as producer,
    ):
        services = create_app(Settings(_env_file=None, redis_url=url), {}).services
        yield Bench(redis=redis, services=services, producer=producer, callers=callers)
        services.close()


def distinct(count: int, states: int = 1) -> list[Wanted]:
    """Return messages of which none is known, about so many states of each contact in turn."""
    contacts = [str(uuid4()) for _ in range(count)]
    values = [occurrences.of_values(number) for number in range(states)]
    return [
        wanted(value, at, contact=contact)
        for at, value in enumerate(values)
        for contact in contacts
    ]


def partly_known(here: Bench, count: int, share: float) -> list[Wanted]:
    """Return messages of which a share is on the queue already, spread evenly."""
    known = distinct(round(count * share))
    if known:
        here.ours(known)
    offered = [*known, *distinct(count - len(known))]
    return [offered[place * STRIDE % count] for place in range(count)]


def against_stock(here: Bench, messages: int, pairs: int) -> Table:
    """Measure pairs, each side first in every second one."""
    shown = Table("pair", "stock", "ours", "ratio", "sender µs", "Redis µs")
    shown.title = f"distinct messages put a second, {here.callers} callers"
    found = []
    for number in range(pairs):
        here.redis.flushall()
        sides = (here.stock, here.ours)[:: 1 if number % 2 else -1]
        costs = {side.__name__: side(distinct(messages)) for side in sides}
        assert here.redis.llen("sync") == 2 * messages
        found.append((costs["stock"], costs["ours"]))
        shown.add_row(str(number + 1), *_cells(*found[-1]))
    shown.add_section()
    ratio = median(ours.rate / stock.rate for stock, ours in found)
    stocks, own = zip(*found, strict=True)
    shown.add_row("median", *_cells(_median(stocks), _median(own), ratio))
    return shown


def by_share(here: Bench, messages: int, rounds: int) -> Table:
    """Measure the publisher with shares of known messages."""
    shown = Table("known", "a second", "sender µs", "Redis µs", title="messages offered")
    for share in KNOWN:
        costs = []
        for _ in range(rounds):
            here.redis.flushall()
            costs.append(here.ours(partly_known(here, messages, share)))
        cost = _median(costs)
        shown.add_row(
            f"{share:.0%}", f"{cost.rate:,.0f}", f"{cost.sender:.0f}", f"{cost.redis:.0f}"
        )
    return shown


def memory(here: Bench, count: int, states: int = 11) -> Table:
    """Return the bytes that messages leave until their operations begin."""
    shown = Table("each", "bytes", title=f"memory in Redis, over {count:,} messages")
    here.redis.flushall()
    here.ours(distinct(count // states, states))
    several = _used(here.redis, "gw:occurrence:*") / (count // states)
    here.redis.flushall()
    here.ours(distinct(count))
    one = _used(here.redis, "gw:occurrence:*") / count
    sizes = {
        "subject with one occurrence": one,
        "further occurrence of a subject": (several - one) / (states - 1),
        "ledger entry": _used(here.redis, "gw:operation:*") / count,
        "message on its queue": _used(here.redis, "sync") / count,
    }
    for what, size in sizes.items():
        shown.add_row(what, f"{size:,.0f}")
    return shown


def _used(redis: Redis, pattern: str) -> int:
    with redis.pipeline(transaction=False) as pipeline:
        for name in redis.scan_iter(pattern, count=1_000):
            pipeline.memory_usage(name, samples=0)
        return sum(pipeline.execute())


def _cells(stock: Cost, ours: Cost, ratio: float | None = None) -> list[str]:
    return [
        f"{stock.rate:,.0f}",
        f"{ours.rate:,.0f}",
        f"{ratio or ours.rate / stock.rate:.1f}",
        f"{stock.sender:.0f} → {ours.sender:.0f}",
        f"{stock.redis:.0f} → {ours.redis:.0f}",
    ]


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        rate=median(each.rate for each in costs),
        sender=median(each.sender for each in costs),
        redis=median(each.redis for each in costs),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--callers", type=int, default=100)
    asked = parser.parse_args()
    with bench(asked.callers) as here:
        console = Console()
        console.print(against_stock(here, asked.messages, asked.pairs))
        console.print(by_share(here, asked.messages, asked.pairs))
        console.print(memory(here, asked.messages))


if __name__ == "__main__":
    main()
