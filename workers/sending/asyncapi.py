"""The public messages as an AsyncAPI 3.0 document: queues, messages with examples, results.

It is made from what workers check messages with, so that it cannot say anything else than they do.
Schemas are written in the document's own dialect, a superset of JSON Schema draft 7.
"""

from __future__ import annotations

import base64
import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pydantic.json_schema import models_json_schema

from tasks.errors import Conflict, Failed, Rejected, Unsupported
from tasks.messages import MAX_MESSAGE_BYTES, PUBLIC, Message
from workers.consuming import envelope
from workers.limits.rates import DEFAULT_RATES, QUEUES, format_rate
from workers.sending.message_examples import EXAMPLES, Example
from workers.sending.schema import SAFE_ID_PATTERN, argument_schemas

#: The version of the contract: it changes with the messages, not with the program.
CONTRACT = "1.0.0"

#: Statuses of a result: with what Celery calls SUCCESS, and with what it calls FAILURE.
GOOD = ("done", "accepted", "noop")
BAD = {error.__name__: error.status for error in (Rejected, Conflict, Unsupported, Failed)}

ABOUT = f"""\
Messages that make `genesys-workers` work. Each is a Celery task message (protocol 2, JSON) with
keyword arguments only; any Celery client in any language can send it. On Redis it is one element of
the list that is named as the queue (`LPUSH`): the JSON object of `#/components/schemas/Envelope`,
whose `body` is the payload in base64. A message has at most {MAX_MESSAGE_BYTES:,} bytes.

The tenant `default` owns the queues of plain names, another one `acme` the queues `merge.acme`,
`sync.acme` and so on; a message on another tenant's queue is refused. What is sent without a queue
goes to `celery`, and is passed on by its task and tenant.

An operation is named by its `operation_id`, else by the message's `id`: sent again under that, it
is not done again. What cannot be carried out is kept as a dead letter and answered with its reason.
"""

_SCHEMA = "#/components/schemas/{model}"
_RESULT_KEY = "celery-task-meta-{message_id}"


def document() -> dict[str, Any]:
    """Return the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Messages of genesys-workers", "version": CONTRACT, "description": ABOUT},
        "defaultContentType": "application/json",
        "servers": {"redis": _server()},
        "channels": dict(_channels()),
        "operations": dict(_operations()),
        "components": {
            "messages": {**{task: _message(task) for task in PUBLIC}, **_results()},
            "schemas": _schemas(),
            "securitySchemes": {
                "user": {
                    "type": "userPassword",
                    "description": "A Redis user who may put messages on these queues, and read"
                    " results where it waits for them.",
                }
            },
        },
    }


def _server() -> dict[str, Any]:
    return {
        "host": "localhost:6379",
        "pathname": "/0",
        "protocol": "redis",
        "description": "The broker of the installation, `REDIS_URL`.",
        "security": [{"$ref": "#/components/securitySchemes/user"}],
    }


def _channels() -> Iterator[tuple[str, dict[str, Any]]]:
    for queue in QUEUES:
        yield queue, _channel(queue, address=queue, title=f"{queue} of the tenant default")
        yield (
            _of_tenant(queue),
            _channel(
                queue,
                address=f"{queue}.{{tenant}}",
                title=f"{queue} of another tenant",
                parameters={"tenant": _tenant()},
            ),
        )
    yield "results", _result_channel()


def _channel(queue: str, **facts: Any) -> dict[str, Any]:
    tasks = [model.task for model in PUBLIC.values() if model.queue == queue]
    rate = format_rate(DEFAULT_RATES[queue])
    return {
        **facts,
        "description": f"At most {rate} start over all workers, unless it is set otherwise.",
        "messages": {task: _ref("components/messages", task) for task in tasks},
    }


def _tenant() -> dict[str, Any]:
    return {
        "description": "A tenant of the installation other than `default`.",
        "examples": ["acme"],
        "location": "$message.payload#/1/tenant",
    }


def _result_channel() -> dict[str, Any]:
    return {
        "address": _RESULT_KEY,
        "title": "results",
        "description": "How a message has ended: published once on the Redis channel of this name,"
        " and kept under the key of this name for a day.",
        "parameters": {
            "message_id": {
                "description": "The message's `id`.",
                "location": "$message.payload#/task_id",
            }
        },
        "messages": {name: _ref("components/messages", name) for name in _results()},
    }


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for model in PUBLIC.values():
        yield model.task, _operation(model, model.queue)
        yield _of_tenant(model.task), _operation(model, _of_tenant(model.queue))


def _operation(model: type[Message], channel: str) -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": _ref("channels", channel),
        "summary": _summary(model),
        "messages": [_ref(f"channels/{channel}/messages", model.task)],
        "reply": {
            "channel": _ref("channels", "results"),
            "messages": [_ref("channels/results/messages", name) for name in _results()],
        },
    }


def _of_tenant(name: str) -> str:
    return f"{name}-of-tenant"


def _message(task: str) -> dict[str, Any]:
    references, _ = argument_schemas(_SCHEMA)
    return {
        "name": task,
        "title": task,
        "summary": _summary(PUBLIC[task]),
        "correlationId": {"location": "$message.header#/id"},
        "headers": {
            "type": "object",
            "allOf": [
                _ref("components/schemas", "Headers"),
                {"properties": {"task": {"const": task}}},
            ],
        },
        "payload": {
            "type": "array",
            "description": "`[args, kwargs, embed]`",
            "items": [
                {"type": "array", "maxItems": 0, "description": "Nothing stands by position."},
                references[task],
                {"oneOf": [_ref("components/schemas", "Embed"), {"type": "null"}]},
            ],
            "additionalItems": False,
            "minItems": 3,
        },
        "examples": [_example(task, number) for number in range(len(EXAMPLES[task]))],
    }


def _example(task: str, number: int) -> dict[str, Any]:
    example: Example = EXAMPLES[task][number]
    name = f"{task}-{number + 1}"
    return {
        "name": name,
        "summary": example.says,
        "headers": {"task": task, "id": _id(name)},
        "payload": [[], dict(example.arguments), None],
    }


def _results() -> dict[str, dict[str, Any]]:
    """Return how messages end, as Celery's result backend tells it."""
    return {
        "succeeded": _result(
            "SUCCESS",
            "Result",
            "The operation is done, was done already, or is finished by a follow-up.",
            {
                "operation_id": "order-4711:merge",
                "status": "done",
                "tenant": "default",
                "detail": {},
                "attempts": 1,
                "latency_ms": 412,
            },
        ),
        "failed": _result(
            "FAILURE",
            "Refusal",
            "The operation ended without its effect, and its message is a dead letter.",
            {
                "exc_type": "Rejected",
                "exc_module": "tasks.errors",
                "exc_message": ["target_profile_id: there is no profile profile-9"],
            },
        ),
    }


def _result(state: str, schema: str, summary: str, example: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": state,
        "title": state,
        "summary": summary,
        "payload": {
            "type": "object",
            "properties": {
                "status": {"const": state},
                "task_id": {"type": "string"},
                "result": _ref("components/schemas", schema),
            },
            "required": ["status", "task_id", "result"],
        },
        "examples": [
            {
                "name": state,
                "payload": {"status": state, "task_id": _id("merge_profiles-1"), "result": example},
            }
        ],
    }


def _schemas() -> dict[str, Any]:
    """Return the schemas: of arguments, of Celery's parts of a message, of results."""
    parts = (envelope.Envelope, envelope.Headers, envelope.Embed)
    _, arguments = argument_schemas(_SCHEMA)
    _, ours = models_json_schema([(part, "validation") for part in parts], ref_template=_SCHEMA)
    found = {**arguments, **ours["$defs"], "Result": _RESULT, "Refusal": _REFUSAL}
    found["Envelope"] = {**found["Envelope"], "examples": [stored("merge_profiles")]}
    return dict(sorted(found.items()))


def stored(task: str) -> dict[str, Any]:
    """Return the first example of `task` as it stands in a Redis list."""
    example = _example(task, 0)
    body = json.dumps(example["payload"]).encode()
    return {
        "body": base64.b64encode(body).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": example["headers"],
        "properties": {"delivery_tag": _id("delivery"), "body_encoding": "base64"},
    }


def _id(name: str) -> str:
    """Return an id that looks as clients make them, and is the same each time."""
    return str(uuid5(NAMESPACE_URL, name))


_RESULT = {
    "title": "Result",
    "description": "How an operation ended. It holds no personal data.",
    "type": "object",
    "properties": {
        "operation_id": {"type": "string", "pattern": SAFE_ID_PATTERN},
        "status": {"enum": list(GOOD)},
        "tenant": {"type": "string"},
        "detail": {"type": "object", "description": "What there is to say of this kind of task."},
        "attempts": {"type": "integer", "minimum": 1},
        "latency_ms": {
            "type": "integer",
            "minimum": 0,
            "description": "From the first attempt to the end.",
        },
    },
    "required": ["operation_id", "status", "tenant", "detail", "attempts", "latency_ms"],
    "additionalProperties": False,
}

_REFUSAL = {
    "title": "Refusal",
    "description": "Why an operation ended without its effect: "
    + ", ".join(f"`{name}` is the status {status}" for name, status in BAD.items())
    + ".",
    "type": "object",
    "properties": {
        "exc_type": {"enum": list(BAD)},
        "exc_module": {"const": "tasks.errors"},
        "exc_message": {
            "type": "array",
            "items": [{"type": "string"}],
            "minItems": 1,
            "description": "One line that names the cause, a field or a rule; never a value.",
        },
    },
    "required": ["exc_type", "exc_message"],
}


def _summary(model: type[Message]) -> str:
    return inspect.getdoc(model) or ""


def _ref(place: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/{place}/{name}"}
