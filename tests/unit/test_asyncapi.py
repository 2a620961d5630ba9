"""The AsyncAPI document says of messages what workers do with them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from celery import Celery, chain
from jsonschema import Draft7Validator

from tasks.messages import PUBLIC, Message, parse
from tests.support.asyncapi import found, problems, references
from tests.support.json_schema import is_valid
from workers.consuming import envelope
from workers.letters import kept_message
from workers.limits.rates import QUEUES
from workers.operation import ENDINGS
from workers.sending.asyncapi import BAD, GOOD, document, stored
from workers.sending.message_examples import EXAMPLES
from workers.sending.schema import message_schema

DOCUMENT = document()

every_task = pytest.mark.parametrize("task", PUBLIC)


def problems_of(task: str, headers: Any, payload: Any) -> list[str]:
    message = DOCUMENT["components"]["messages"][task]
    return [
        *problems(DOCUMENT, message["headers"], headers),
        *problems(DOCUMENT, message["payload"], payload),
    ]


def test_every_reference_leads_somewhere() -> None:
    named = set(references(DOCUMENT))
    assert len(named) > 50
    for reference in named:
        assert found(DOCUMENT, reference)


def test_every_schema_is_one_of_the_dialect() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


@every_task
@pytest.mark.parametrize(
    ("suffix", "address"), [("", "{queue}"), ("-of-tenant", "{queue}.{{tenant}}")]
)
def test_every_task_is_received_on_its_queue_and_on_that_of_another_tenant(
    task: str, suffix: str, address: str
) -> None:
    operation = DOCUMENT["operations"][f"{task}{suffix}"]
    channel = found(DOCUMENT, operation["channel"]["$ref"])
    assert operation["action"] == "receive"
    assert channel["address"] == address.format(queue=PUBLIC[task].queue)
    (message,) = operation["messages"]
    assert found(DOCUMENT, message["$ref"]) == channel["messages"][task]
    assert {"$ref": f"#/components/messages/{task}"} == channel["messages"][task]


def test_there_is_a_channel_for_each_queue_and_no_other_but_for_results() -> None:
    assert set(DOCUMENT["channels"]) == {*QUEUES, *(f"{q}-of-tenant" for q in QUEUES), "results"}


@every_task
def test_the_examples_of_a_task_are_taken_by_workers_and_by_both_documents(task: str) -> None:
    assert EXAMPLES[task]
    for example in EXAMPLES[task]:
        assert parse(PUBLIC[task], example.arguments).arguments()
        assert is_valid(example.arguments, message_schema(task))
    for shown in DOCUMENT["components"]["messages"][task]["examples"]:
        assert problems_of(task, shown["headers"], shown["payload"]) == []
        envelope.check(shown["headers"], shown["payload"])


@every_task
def test_the_examples_of_a_task_show_all_its_arguments(task: str) -> None:
    shown = {name for example in EXAMPLES[task] for name in example.arguments}
    assert shown >= PUBLIC[task].model_fields.keys() - Message.model_fields.keys()


@every_task
def test_what_a_stock_client_sends_fits(task: str) -> None:
    amqp: Any = Celery(set_as_current=False).amqp
    arguments = dict(EXAMPLES[task][0].arguments)
    headers, _, body, _ = amqp.as_task_v2("m-1", task, kwargs=arguments, countdown=5, expires=60)
    assert problems_of(task, headers, json.loads(json.dumps(body))) == []


def test_a_chain_of_a_stock_client_fits() -> None:
    app = Celery(set_as_current=False)
    first, second = (
        app.signature(task, kwargs=dict(EXAMPLES[task][0].arguments), immutable=True)
        for task in ("merge_profiles", "sync_profile")
    )
    following = json.loads(json.dumps(chain(first, second, app=app).tasks[1]))
    payload = [[], first["kwargs"], {"chain": [following]}]
    assert problems_of("merge_profiles", {"task": "merge_profiles", "id": "m-1"}, payload) == []


ARGUMENTS = {"contact_id": "c-1"}


@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        ({}, [["c-1"], {}, None]),
        ({}, [[], ARGUMENTS]),
        ({}, [[], ARGUMENTS, {}, {}]),
        ({}, [[], {**ARGUMENTS, "colour": "red"}, {}]),
        ({}, [[], ARGUMENTS, {"chain": ["sync_profile"]}]),
        ({}, {"args": [], "kwargs": ARGUMENTS}),
        ({"id": None}, [[], ARGUMENTS, {}]),
        ({"id": "../x"}, [[], ARGUMENTS, {}]),
        ({"task": "merge_profiles"}, [[], ARGUMENTS, {}]),
        ({"retries": -1}, [[], ARGUMENTS, {}]),
    ],
)
def test_what_no_worker_would_take_does_not_fit(headers: Any, payload: Any) -> None:
    sound = {"task": "sync_profile", "id": "m-1"}
    assert problems_of("sync_profile", sound, [[], ARGUMENTS, {}]) == []
    assert problems_of("sync_profile", {**sound, **headers}, payload) != []


@every_task
def test_the_example_of_a_list_s_element_is_read_as_that_message(task: str) -> None:
    element = stored(task)
    assert problems(DOCUMENT, DOCUMENT["components"]["schemas"]["Envelope"], element) == []
    kept = kept_message.read(json.dumps(element).encode())
    assert (kept.task, kept.arguments) == (task, EXAMPLES[task][0].arguments)


def test_the_element_that_is_shown_is_one_of_the_messages() -> None:
    (shown,) = DOCUMENT["components"]["schemas"]["Envelope"]["examples"]
    body = json.loads(base64.b64decode(shown["body"]))
    assert problems_of("merge_profiles", shown["headers"], body) == []


@pytest.mark.parametrize("name", ["succeeded", "failed"])
def test_the_examples_of_results_fit(name: str) -> None:
    message = DOCUMENT["components"]["messages"][name]
    (shown,) = message["examples"]
    assert problems(DOCUMENT, message["payload"], shown["payload"]) == []


def test_all_statuses_are_told() -> None:
    assert set(BAD.values()) == set(ENDINGS)
    assert set(GOOD).isdisjoint(ENDINGS)
    about = DOCUMENT["components"]["schemas"]["Refusal"]["description"]
    assert all(f"`{name}` is the status {status}" in about for name, status in BAD.items())
