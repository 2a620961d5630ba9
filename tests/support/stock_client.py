"""A producer that knows Celery and nothing of this project; run as a program of its own.

Standard input holds `{"broker": URL, "seconds": …, "sends": […]}`, one send being
`{"name", "kwargs", "queue", "id"}`, `{"chain": […]}` or `{"chord": […], "body": …}`. Standard
output gets a JSON list of what each ended with: `{"state", "result", "error", "traceback"}`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from celery import Celery, chain, chord
from celery.result import AsyncResult


def signature(app: Celery, send: dict[str, Any]) -> Any:
    options = {"queue": send["queue"]} if "queue" in send else {}
    made = app.signature(send["name"], kwargs=send["kwargs"], immutable=True, options=options)
    return made.set(task_id=send["id"]) if "id" in send else made


def start(app: Celery, send: dict[str, Any]) -> AsyncResult[Any]:
    if "chain" in send:
        return chain(*(signature(app, step) for step in send["chain"])).apply_async()
    if "chord" in send:
        header = [signature(app, step) for step in send["chord"]]
        return chord(header, signature(app, send["body"]), app=app).apply_async()
    options = {"queue": send["queue"]} if "queue" in send else {}
    return app.send_task(send["name"], kwargs=send["kwargs"], task_id=send.get("id"), **options)


def ending(result: AsyncResult[Any], seconds: float) -> dict[str, Any]:
    error = None
    try:
        result.get(timeout=seconds)
    except Exception as raised:  # noqa: BLE001  # what a producer may get is what is asked here
        error = {"type": type(raised).__name__, "text": str(raised)}
    value = result.result if result.successful() else None
    return {
        "state": result.state,
        "result": value,
        "error": error,
        "traceback": result.traceback,
    }


def main() -> None:
    order = json.load(sys.stdin)
    app = Celery("stock", broker=order["broker"], backend=order["broker"])
    started = [start(app, send) for send in order["sends"]]
    json.dump([ending(result, order["seconds"]) for result in started], sys.stdout)
    ours = sorted({name.partition(".")[0] for name in sys.modules} & {"workers", "tasks", "tests"})
    sys.exit(f"it has imported {', '.join(ours)}" if ours else 0)


if __name__ == "__main__":
    main()
