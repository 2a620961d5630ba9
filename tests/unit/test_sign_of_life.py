"""A worker's sign of life is its loop's: a process whose loop is stuck shows none."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from kombu.asynchronous import Hub
from kombu.asynchronous.timer import Timer

from workers.watching import sign_of_life


class Loop:
    """The loop of a worker, that goes round when it is told to."""

    def __init__(self, app: Celery) -> None:
        self.hub = Hub(Timer())
        (step,) = app.steps["consumer"]
        self.step: Any = step(SimpleNamespace(timer=self.hub.timer))
        self.step.start(SimpleNamespace(timer=self.hub.timer))

    def go_round(self) -> None:
        self.hub.fire_timers(min_delay=0)

    def end(self) -> None:
        self.step.stop(SimpleNamespace())
        self.hub.close()


@pytest.fixture
def app() -> Celery:
    return Celery(set_as_current=False)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_of_life, "PERIOD", 1e-9)


def test_a_loop_that_goes_round_touches_the_file_each_time(app: Celery, tmp_path: Path) -> None:
    file = tmp_path / "alive"
    sign_of_life.show(app, file)
    loop = Loop(app)
    assert not file.exists()
    for _ in range(2):
        loop.go_round()
        assert file.exists()
        file.unlink()
    loop.end()
    loop.go_round()
    assert not file.exists()


def test_what_an_earlier_worker_has_left_is_no_sign_of_this_one(
    app: Celery, tmp_path: Path
) -> None:
    file = tmp_path / "alive"
    file.touch()
    sign_of_life.show(app, file)
    assert not file.exists()


def test_a_file_that_cannot_be_written_is_refused_at_once(app: Celery, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sign_of_life.show(app, tmp_path / "nowhere" / "alive")
