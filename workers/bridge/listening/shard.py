"""One channel with its part of a tenant's topics: made, subscribed, heard; after its end again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from tasks.errors import (
    ApiError,
    BadRequest,
    BrokerAway,
    Forbidden,
    NotFound,
    Unauthenticated,
    WorkerError,
)
from workers import policy
from workers.bridge.listening import listener, subscriptions
from workers.bridge.listening.asking import in_thread
from workers.bridge.listening.channels import KeptChannel, NoChannelFree
from workers.bridge.listening.dialing import NotConnected
from workers.bridge.listening.hearing import Hearing
from workers.bridge.listening.means import Means
from workers.bridge.listening.subscriptions import Subscriptions
from workers.bridge.listening.track import Track
from workers.bridge.state.backoff import Waits
from workers.watching.telemetry import log

T = TypeVar("T")

#: Answers that will be the same next time, unless somebody changes something.
REFUSALS = (BadRequest, Forbidden, Unauthenticated)
#: How a handshake says that there is no such channel.
NO_CHANNEL = frozenset({404, 410})


class NothingPermitted(WorkerError):
    """Raised where not one topic of a shard may be subscribed."""

    def __str__(self) -> str:
        return "none of its topics may be subscribed"


class Shard:
    """Hears some topics of a tenant by a channel of their own."""

    def __init__(self, name: str, topics: tuple[str, ...], track: Track, means: Means) -> None:
        self.name = name
        self._topics = topics
        self._track = track
        self._means = means
        #: Why nothing is heard.
        self._why = "start"
        self._heard_before = False
        #: Refusals and faults since it was heard last.
        self._failures = 0

    async def run(self) -> None:
        """Hear it until cancelled, whatever comes between."""
        while True:
            try:
                await self._turn()
            except BrokerAway:
                await self._wait_for_broker()
            except Exception as error:  # noqa: BLE001  # a fault of ours must not end the hearing
                self._why = "fault"
                await self._wait(self._means.timing.fault, error)

    async def _turn(self) -> None:
        """Hear it from the moment when that may be tried until it ends; remember a failure."""
        began, wait = await self._means.pace.turn(), None
        try:
            self._why = await self._hear()
            self._tell("bridge.disconnected", reason=self._why)
        except (NoChannelFree, NothingPermitted) as error:
            await self._wait(self._means.timing.refused, error)
            return
        except NotConnected as error:
            wait = error.retry_after
            if error.status in NO_CHANNEL:
                await self._forget()
            self._tell("bridge.not_connected", reason=str(error))
        except ApiError as error:
            if isinstance(error, REFUSALS):
                wait = self._longer(self._means.timing.refused)
            self._tell("bridge.not_connected", reason=str(error))
        await self._means.pace.failed(began, wait)

    async def _hear(self) -> str:
        """Hear it by its channel until that ends, and return why it did."""
        channel = await self._channel()
        subscribed = await self._subscribe(channel)
        connect = partial(
            listener.connect,
            channel.connect_uri,
            silence=self._means.timing.silence,
            clock=await self._clock(),
        )
        line = await connect()
        hearing = Hearing(line, connect, self._track, self._means)
        try:
            await self._track.resume(line.opened, self._why)
            self._begins(subscribed, line.opened)
            why = await first_of(hearing.listen(), self._renew(channel, subscribed))
            if why == "revoked":
                await self._forget()
            return why
        finally:
            self._means.hears_no(self.name)
            await hearing.end()

    async def _channel(self) -> KeptChannel:
        async with self._means.making:
            return await self._means.ask(
                lambda service: self._means.channels.ensure(self.name, service)
            )

    async def _subscribe(self, channel: KeptChannel) -> Subscriptions:
        """Subscribe all topics. Raises `NothingPermitted`, and `NotFound` for another channel."""
        try:
            done = await subscriptions.subscribe(self._means.ask, channel.id, self._topics)
        except NotFound:
            await self._forget()
            raise
        self._means.rejections.note(self.name, done)
        if not done.permitted:
            raise NothingPermitted
        return done

    async def _renew(self, channel: KeptChannel, subscribed: Subscriptions) -> str:
        """Let the channel live on, well before its end; return once it is no more."""
        pause = channel.life / 2
        while True:
            await asyncio.sleep(pause)
            try:
                done = await subscriptions.renew(
                    self._means.ask, channel.id, self._topics, subscribed.refused
                )
                self._means.rejections.note(self.name, done)
                await in_thread(self._means.channels.touch)
                pause = channel.life / 2
            except NotFound:
                return "revoked"
            except (ApiError, BrokerAway) as error:
                self._tell("bridge.not_renewed", reason=str(error))
                pause = channel.life / 20

    async def _forget(self) -> None:
        """Have another channel made."""
        await in_thread(self._means.channels.forget, self.name)

    async def _clock(self) -> Callable[[], float]:
        """Return a clock that goes as that of Redis does now."""
        loop = asyncio.get_running_loop()
        ahead = await in_thread(self._means.now) - loop.time()
        return lambda: loop.time() + ahead

    def _begins(self, subscribed: Subscriptions, since: float) -> None:
        self._means.hears(self.name, since)
        if self._heard_before:
            self._means.metrics.reconnects(self._means.tenant)
        self._heard_before = True
        self._failures = 0
        self._tell("bridge.connected", topics=len(subscribed.permitted))

    async def _wait(self, waits: Waits, error: Exception) -> None:
        """Wait after what is this shard's own trouble."""
        self._tell("bridge.not_connected", reason=policy.say(error))
        await asyncio.sleep(self._longer(waits))

    def _longer(self, waits: Waits) -> float:
        """Return the seconds to wait, more than the last time."""
        self._failures += 1
        return waits.after(self._failures, self._means.random)

    async def _wait_for_broker(self) -> None:
        """Wait until the broker takes writes."""
        self._why, back = "broker away", False
        self._tell("bridge.disconnected", reason=self._why)
        while not back:
            await asyncio.sleep(self._means.timing.broker)
            with suppress(BrokerAway):
                await in_thread(self._means.channels.touch)
                back = True

    def _tell(self, event: str, **facts: object) -> None:
        log.info(event, tenant=self._means.tenant, shard=self.name, **facts)


async def first_of(*works: Coroutine[Any, Any, T]) -> T:
    """Return what the first of `works` to end returns, or raise what it raises; end the others."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = next(task for task in tasks if task.done())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return ended.result()
