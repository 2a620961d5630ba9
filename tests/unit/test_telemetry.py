"""Log lines: what is masked, and what is said of an error."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kombu.message import Message

from workers.consuming.consumer import FOREIGN
from workers.watching import telemetry
from workers.watching.telemetry import describe, mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("redis://:s3cret@host:6379/0", "redis://***@host:6379/0"),
        ("redis://user:p@host/0", "redis://***@host/0"),
        ("mail to jane.doe@example.com now", "mail to *** now"),
        ("call 0151 2345678", "call ***"),
        ("card 4111-1111-1111-1111", "card ***"),
        ("Error 111 connecting to 127.0.0.1:6379", "Error 111 connecting to 127.0.0.1:6379"),
        ("from 93.184.216.34 and 10.20.30.40", "from *** and 10.20.30.40"),
        ("12 tasks on 3 queues", "12 tasks on 3 queues"),
    ],
)
def test_passwords_addresses_and_long_numbers_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_an_error_is_described_by_type_and_place_and_not_by_its_text() -> None:
    try:
        {}["jane@example.com"]  # type: ignore[index]
    except KeyError as error:
        said = describe(error)
    assert said.startswith("KeyError in test_an_error_is_described")
    assert "jane" not in said


@contextmanager
def configured(level: str) -> Iterator[None]:
    """Log as a worker does in the block."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    telemetry.configure(level=level, form="json")
    try:
        yield
    finally:
        root.handlers[:], root.level = before


def test_foreign_log_lines_are_json_masked_and_without_tracebacks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with configured("INFO"):
        try:
            raise ValueError("jane@example.com")
        except ValueError:
            logging.getLogger("some.library").exception("failed for %s", "jane@example.com")
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "failed for ***"
    assert line["logger"] == "some.library"
    assert line["error"].startswith("ValueError in test_foreign")
    assert "jane" not in json.dumps(line)


def test_debug_lines_of_other_libraries_are_left_out_at_every_level(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with configured("DEBUG"):
        logging.getLogger("urllib3.connectionpool").debug("GET /customers/jane@example.com")
    assert capsys.readouterr().err == ""


def test_a_line_that_cannot_be_formatted_shows_none_of_its_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with configured("INFO"):
        logging.getLogger("some.library").warning("%d of them", "jane@example.com")
    assert "jane" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "logger",
    ["celery.worker", "kombu.connection", "aiohttp.server", "asyncio", "opentelemetry.sdk"],
)
def test_no_library_is_left_out(logger: str, capsys: pytest.CaptureFixture[str]) -> None:
    with configured("INFO"):
        logging.getLogger(logger).warning("lost %s", "redis://:s3cret@host of jane@example.com")
    line = json.loads(capsys.readouterr().err)
    assert (line["logger"], line["event"]) == (logger, "lost redis://***@host of ***")


def test_an_error_that_nobody_awaited_is_told_without_its_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def fails() -> None:
        raise ValueError("Jane Doe")

    async def story() -> None:
        running = asyncio.get_running_loop().create_task(fails())
        await asyncio.wait([running])
        del running
        gc.collect()

    with configured("INFO"):
        asyncio.run(story())
    said = capsys.readouterr().err
    line = json.loads(said)
    assert line["event"] == "Task exception was never retrieved"
    assert line["error"].startswith("ValueError in test_an_error_that_nobody_awaited")
    assert "Jane" not in said


def test_what_kombu_says_of_a_message_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    class Gone:
        no_ack_consumers = None

        def basic_ack(self, *_: object, **__: object) -> None:
            raise ConnectionError("redis://:s3cret@host has gone")

    with configured("INFO"):
        message = Message(channel=Gone(), delivery_tag="tag-1")
        message.ack_log_error(FOREIGN, (ConnectionError,))
    line = json.loads(capsys.readouterr().err)
    assert line["event"].startswith("Couldn't ack 'tag-1', reason:ConnectionError('redis://***@")
