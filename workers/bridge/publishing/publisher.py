"""Puts what rules want on the broker, for all sources of a bridge together."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Self

import redis

from tasks.errors import BrokerAway
from workers.bridge.judging.matching import Wanted
from workers.bridge.publishing.once import Once, Put

if TYPE_CHECKING:
    from workers.app import Services

#: Messages in one round trip, at most.
BATCH = 256

_REFUSAL = re.compile(r"\b(READONLY|NOREPLICAS|MISCONF|OOM)\b")


@dataclass(frozen=True, eq=False)
class _Asked:
    """What one caller wants put, and where it awaits the answers."""

    wanted: Sequence[Wanted]
    answers: asyncio.Future[list[Put]]

    def answer(self, answers: list[Put]) -> None:
        if not self.answers.done():
            self.answers.set_result(answers)

    def fail(self, error: Exception) -> None:
        if not self.answers.done():
            self.answers.set_exception(error)


class Publisher:
    """Puts messages while its block lasts, whose end waits for those that were asked for.

    It has a thread of its own, and so waits for nothing but Redis.
    """

    def __init__(self, services: Services) -> None:
        self._once = Once(outbox=services.outbox)
        self._waiting: deque[_Asked] = deque()
        self._woken = asyncio.Event()
        self._open = False

    async def __aenter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1, "publisher")
        self._flusher = asyncio.create_task(self._run(), name="publisher")
        self._open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open = False
        self._woken.set()
        try:
            await self._flusher
        finally:
            self._thread.shutdown(wait=False)

    async def put(self, wanted: Sequence[Wanted]) -> list[Put]:
        """Put each message that is new; return what each was once all of them are on the broker.

        They are put in this order, and together with those of concurrent calls. Raises `BrokerAway`
        where the broker does not take them all: some may be there, and putting all again is safe.
        """
        if not self._open:
            raise _ended()
        if not wanted:
            return []
        asked = _Asked(wanted, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        self._woken.set()
        return await asked.answers

    async def _run(self) -> None:
        try:
            while self._open or self._waiting:
                await self._woken.wait()
                self._woken.clear()
                while together := self._next():
                    await self._flush(together)
        finally:
            self._open = False
            for asked in self._waiting:
                asked.fail(_ended())

    def _next(self) -> list[_Asked]:
        """Return whose messages go next, in one batch; nobody's are divided."""
        together: list[_Asked] = []
        count = 0
        while self._waiting and count < BATCH:
            asked = self._waiting.popleft()
            if not asked.answers.done():  # a caller that was cancelled wants none
                together.append(asked)
                count += len(asked.wanted)
        return together

    async def _flush(self, together: list[_Asked]) -> None:
        wanted = [each for asked in together for each in asked.wanted]
        try:
            puts = await asyncio.get_running_loop().run_in_executor(self._thread, self._put, wanted)
        except asyncio.CancelledError:
            _fail(together, _ended())
            raise
        except Exception as error:  # noqa: BLE001  # its callers are told, whatever it is
            _fail(together, error)
        else:
            answers = iter(puts)
            for asked in together:
                asked.answer(list(islice(answers, len(asked.wanted))))

    def _put(self, wanted: Sequence[Wanted]) -> list[Put]:
        try:
            parts = (wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH))
            return [put for part in parts for put in self._once.put(part)]
        except redis.RedisError as error:
            raise BrokerAway(f"the broker takes no messages: {_cause(error)}") from None


def _fail(together: list[_Asked], error: Exception) -> None:
    for asked in together:
        asked.fail(error)


def _ended() -> BrokerAway:
    return BrokerAway("the publisher has ended")


def _cause(error: redis.RedisError) -> str:
    """Name what Redis refuses writes for, else the kind of error: its text may quote a message."""
    refusal = _REFUSAL.search(str(error))
    return refusal[0] if refusal else type(error).__name__
