"""Structured log events: stable names, fields instead of prose, no secret and no personal data.

Every event carries the operation, tenant and correlation id that are bound while an operation
runs. What other libraries log goes through the same pipeline, masked, with the name of its logger.
`deploy/log-events.md` lists all events.
"""

from __future__ import annotations

import logging
import re
import sys
from ipaddress import ip_address
from typing import Any

import structlog

LOGGER = "genesys_workers"

log: structlog.stdlib.BoundLogger = structlog.get_logger(LOGGER)

_DIGITS = re.compile(r"\d(?:[ ().-]?\d){5,}")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_URL_PASSWORD = re.compile(r"(?<=://)[^/@\s]{1,512}@")


def mask(text: str) -> str:
    """Return `text` without passwords in URLs, e-mail addresses and long numbers.

    For texts of other libraries; our own messages are built without such data.
    """
    text = _URL_PASSWORD.sub("***@", text)
    return _DIGITS.sub(_masked_digits, _EMAIL.sub("***", text))


def _masked_digits(match: re.Match[str]) -> str:
    """Hide a long number, unless it is the address of a host of our own network."""
    try:
        return match[0] if ip_address(match[0]).is_private else "***"
    except ValueError:
        return "***"


def describe(error: BaseException) -> str:
    """Return the type of an unexpected error and where it was raised; its text may hold data."""
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    where = f" in {frame.tb_frame.f_code.co_qualname}:{frame.tb_lineno}" if frame else ""
    return f"{type(error).__name__}{where}"


def configure(*, level: str, form: str) -> None:
    """Send the root logger and ours to standard error as JSON lines or for a console."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(form, shared))
    # Where a line cannot be formatted, logging would print its arguments.
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Debug lines of other libraries quote bodies and URLs.
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level]))
    logging.getLogger(LOGGER).setLevel(level)
    # Celery says "received" and "succeeded" for every task; our own events say it with facts.
    for chatty in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _formatter(form: str, shared: list[Any]) -> logging.Formatter:
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, _mask_foreign],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _short_traceback,
            renderer,
        ],
    )


def _mask_foreign(_: Any, __: str, event: Any) -> Any:
    """Mask the text of other libraries' log lines; bound the length of what they dump."""
    text, logger = str(event.get("event", "")), event["_record"].name
    if logger == "asyncio":
        # Below, it shows objects with the texts of their errors.
        text = text.partition("\n")[0]
    return {**event, "event": mask(text)[:2000], "logger": logger}


def _short_traceback(_: Any, __: str, event: Any) -> Any:
    """Replace a traceback by the error's type and place: its text may quote data."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = describe(error)
    return event
