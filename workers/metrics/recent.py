"""An answer that may be a few seconds old, and never keeps whoever asks waiting for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from workers.watching.telemetry import describe, log

T = TypeVar("T")


@dataclass(kw_only=True)
class Recent(Generic[T]):
    """What `ask` has answered, for `keep` seconds; then it is asked again, by one thread at a time.

    Where it fails, or takes longer than `patience` seconds, there is no answer, which is logged
    once until there is one again.
    """

    ask: Callable[[], T]
    keep: float = 5.0
    patience: float = 3.0
    clock: Callable[[], float] = time.monotonic
    _asking: Future[T] | None = None
    _until: float = 0.0
    _failing: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def get(self) -> T | None:
        """Return the answer; None where there is none."""
        asking = self._current()
        try:
            answer = asking.result(self.patience)
        except Exception as error:  # noqa: BLE001  # whatever it was, the rest can be told
            if not self._failing:
                log.warning("metrics.unknown", error=describe(error))
            self._failing = True
            return None
        self._failing = False
        return answer

    def _current(self) -> Future[T]:
        """Return the question that is under way or was answered lately, or ask it."""
        with self._lock:
            if self._asking is None or (self._asking.done() and self._is_over(self._asking)):
                self._asking = Future()
                threading.Thread(target=self._run, args=(self._asking,), daemon=True).start()
            return self._asking

    def _is_over(self, asked: Future[T]) -> bool:
        return asked.exception() is not None or self.clock() >= self._until

    def _run(self, asking: Future[T]) -> None:
        try:
            answer = self.ask()
        except Exception as error:  # noqa: BLE001  # it is told to whoever waits
            asking.set_exception(error)
        else:
            self._until = self.clock() + self.keep
            asking.set_result(answer)
