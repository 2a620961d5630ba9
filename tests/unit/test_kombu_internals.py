"""The internals of Kombu, Celery and redis-py that this project overrides or leans on.

A release of theirs may change one without a word. Where this test fails, read what has changed
against the module that the failure names, mend the module where it has to be, and write the table
anew: `python -m tests.unit.test_kombu_internals` prints its rows.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator
from importlib import import_module, metadata
from typing import Any

import pytest

PACKAGES = ("celery", "kombu", "redis")

#: The releases that the digests are of.
READ = {"celery": "5.7.0", "kombu": "5.7.0", "redis": "8.1.0"}

#: By module of this project: what it leans on, and the digest of its source.
DIGESTS: dict[str, dict[str, str]] = {
    "workers/transport/channel.py": {
        "kombu.transport.redis:Channel.__init__": "f189bdebe2436ccd",
        "kombu.transport.redis:Channel.basic_consume": "34e0da85e689ff98",
        "kombu.transport.redis:Channel.basic_cancel": "d2e3a03a48d2a52a",
        "kombu.transport.redis:Channel._basic_cancel": "f799ede5037500a9",
        "kombu.transport.redis:Channel._brpop_start": "06723d707ddf2240",
        "kombu.transport.redis:Channel._brpop_read": "c42518699709f2df",
        "kombu.transport.redis:Channel._poll_error": "2c941c0124b99fab",
        "kombu.transport.redis:Channel._flush_brpop_reauth": "bb4930b4fd3cf8f3",
        "kombu.transport.redis:Channel._q_for_pri": "f3997660680dd00f",
        "kombu.transport.redis:Channel.active_queues": "a7ca9dfbc63496ad",
        "kombu.transport.redis:Channel.client": "7a86dff4bd9c8b6f",
        "kombu.transport.redis:Channel.close": "101e9b9cdad44b88",
        "kombu.transport.redis:MultiChannelPoller._update_brpop_polling": "de7b4600acf540fb",
        "kombu.transport.redis:MultiChannelPoller._pause_brpop": "58133695f1a9f4fb",
        "kombu.transport.redis:MultiChannelPoller._client_registered": "a16964c3e3d29356",
        "kombu.transport.redis:MultiChannelPoller._register_BRPOP": "85724582464a615f",
        "kombu.transport.redis:MultiChannelPoller.on_poll_start": "414f76caaa675bc0",
        "kombu.transport.redis:MultiChannelPoller.on_poll_init": "0a605e782492713d",
        "kombu.transport.redis:MultiChannelPoller.maybe_restore_messages": "6c267815d521a4a6",
        "kombu.transport.redis:MultiChannelPoller.maybe_check_brpop_health": "0dc592e46353a0fc",
        "kombu.transport.redis:MultiChannelPoller.on_readable": "c0d99f241607f845",
        "kombu.transport.redis:MultiChannelPoller.handle_event": "a96a90b9df4bd447",
        "kombu.transport.redis:Transport.register_with_event_loop": "4b835642e4a99425",
        "kombu.transport.redis:Transport.on_readable": "27a1038f2518a464",
        "kombu.transport.redis:QoS.restore_visible": "d4a4a40a3eaf9f23",
        "kombu.transport.redis:SentinelChannel": "284df3c9ac80eb32",
        "kombu.transport.redis:SentinelTransport": "efca7e98eb2cf0e2",
        "kombu.transport.virtual:QoS": "f884d8db8d6405e1",
        "kombu.transport.virtual:Channel.qos": "44d9d4c8ab982419",
        "kombu.transport.virtual:Channel.basic_ack": "3b4278c757b44675",
        "kombu.transport.virtual:Channel.basic_reject": "d49bbd211da77d0d",
        "kombu.transport.virtual:Channel.basic_cancel": "1beb5cf96c9a2cb4",
        "kombu.transport.virtual:Channel.basic_consume": "0fec962694938b61",
        "kombu.transport.virtual:Channel.message_to_python": "36cc33042f6d7fad",
        "kombu.transport.virtual:Channel.close": "26368e1cadfc4ff9",
        "kombu.transport.virtual:Transport._deliver": "799e242f3ec53863",
        "kombu.transport.virtual:Message": "03eca4812d47b440",
        "kombu.asynchronous:get_event_loop": "101bbbc3eae10ae0",
        "kombu.asynchronous:Hub.call_soon": "ec0433083ce8db41",
        "kombu.asynchronous:Hub.call_later": "8bb2d3c1846a4203",
        "kombu.asynchronous:Hub.create_loop": "bc5b3f9d66b99d45",
        "redis.client:Redis.parse_response": "32f7c49d7c53e0b7",
        "redis.connection:AbstractConnection.send_packed_command": "df64e60810061d0a",
        "redis.connection:AbstractConnection.disconnect": "70a8b4f7cf62b587",
        "redis.connection:AbstractConnection.pack_command": "ff257355ed556017",
    },
    "workers/consuming/consumer.py": {
        "celery.worker.consumer:Consumer.__init__": "c27ca6ec2d4bbfe4",
        "celery.worker.consumer:Consumer.start": "53bd1abe3456722d",
        "celery.worker.consumer:Consumer.stop": "a8b38f8d9b46db3c",
        "celery.worker.consumer:Consumer.shutdown": "a081dc7db4a98b33",
        "celery.worker.consumer:Consumer.on_ready": "16eff40603fe2678",
        "celery.worker.consumer:Consumer.on_close": "e96d425dce0ae6a3",
        "celery.worker.consumer:Consumer.on_connection_error_after_connected": "4f84dbfff329d28f",
        "celery.worker.consumer:Consumer.connection_for_read": "119efaa0e5dc03aa",
        "celery.worker.consumer:Consumer.ensure_connected": "3f79cf3bb6d6da8c",
        "celery.worker.consumer:Consumer.create_task_handler": "292c5a681f10ade7",
        "celery.worker.consumer:Consumer.on_unknown_message": "213bd3ee55cb5ca6",
        "celery.worker.consumer:Consumer.on_unknown_task": "35e6cbe564947a25",
        "celery.worker.consumer:Consumer.on_invalid_task": "9893e7a4eee33a33",
        "celery.worker.consumer:Consumer.on_decode_error": "e3538c586a7ffa75",
        "celery.worker.consumer.connection:Connection.start": "6e398fc1532b3a33",
        "celery.worker.consumer.connection:Connection.shutdown": "9d1b4621a0d2785e",
        "celery.worker.consumer.tasks:Tasks.start": "e0165bf1d620fb60",
        "celery.worker.consumer.tasks:Tasks.stop": "b082b2099f09ba29",
        "celery.worker.consumer.tasks:Tasks.shutdown": "24a81d853c42bfb0",
        "celery.worker.loops:asynloop": "05a53e51998887ca",
        "celery.worker.strategy:default": "7d90575ada5eb1dc",
        "celery.worker.strategy:proto1_to_proto2": "bd94d28baaa68720",
        "kombu.message:Message.ack_log_error": "92c852ddae294815",
        "kombu.message:Message.reject_log_error": "894bb41e9964619b",
        "kombu.messaging:Consumer._receive_callback": "27e1ae8eba4c10ff",
    },
    "workers/consuming/masking.py": {
        "celery.worker.request:Request.__init__": "efdf47149cde3635",
        "celery.worker.request:Request.execute_using_pool": "7979562da58f4266",
        "celery.worker.request:Request.maybe_expire": "098d57fe96f75be0",
        "celery.worker.request:Request.revoked": "5132788b1bc86f26",
        "celery.worker.request:Request._announce_revoked": "a34ab36ca94d4d63",
        "celery.worker.request:Request.on_accepted": "7bd097a863da039e",
        "celery.worker.request:Request.on_retry": "ea63dbc5c2ce8a8b",
        "celery.worker.request:Request.on_success": "8d11e320facdb072",
        "celery.worker.request:Request.on_failure": "21736ec661cd60d7",
        "celery.worker.request:Request.acknowledge": "60dad9ce9c39f54c",
        "celery.worker.request:Request.reject": "08be2378bcc6c017",
        "celery.worker.request:Request.info": "3c2e986f6780d19e",
        "celery.worker.request:create_request_cls": "871f30fe1cfee4bf",
        "celery.app.trace:TraceInfo.handle_retry": "334e176e5c8b9f39",
        "celery.exceptions:Retry": "c2e0090273f794ae",
    },
    "workers/consuming/arrivals.py": {
        "kombu.transport.virtual:Message.__init__": "c90d08ccfa2e3e9a",
        "celery.worker.request:Request.maybe_expire": "098d57fe96f75be0",
        "celery.worker.request:Request.revoked": "5132788b1bc86f26",
        "celery.app.amqp:AMQP.as_task_v2": "5efb2a7a30d33e9e",
    },
    "workers/consuming/revocations.py": {
        "celery.worker.control:revoke": "25c3bde7a118a14d",
        "celery.worker.control:control_command": "eb72e2975f02aac9",
        "celery.worker.state:maybe_shutdown": "e15d0ed41e2cd309",
    },
}


def source(name: str) -> str:
    """Return the source of what `package.module:Class.attribute` names."""
    module, _, path = name.partition(":")
    found: Any = import_module(module)
    for part in path.split("."):
        found = inspect.getattr_static(found, part)
    if isinstance(found, staticmethod | classmethod):
        found = found.__func__
    found = getattr(found, "fget", None) or getattr(found, "func", None) or found
    return inspect.getsource(inspect.unwrap(found))


def digest(name: str) -> str:
    return hashlib.sha256(source(name).encode()).hexdigest()[:16]


def installed() -> dict[str, str]:
    return {package: metadata.version(package) for package in PACKAGES}


def rows() -> Iterator[str]:
    """Return the table's rows for what is installed."""
    for module, names in DIGESTS.items():
        yield f'    "{module}": {{'
        for name in names:
            yield f'        "{name}": "{digest(name)}",'
        yield "    },"


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in DIGESTS.items() for name in names]
)
def test_what_is_overridden_is_as_it_was_read(module: str, name: str) -> None:
    try:
        found = digest(name)
    except AttributeError:
        found = "gone"
    assert found == DIGESTS[module][name], (
        f"{name} is not what {module} was written against (read: {READ}, installed:"
        f" {installed()}). Read it against {module}, then write the table anew with"
        " `python -m tests.unit.test_kombu_internals`."
    )


if __name__ == "__main__":
    print(f"READ = {installed()}", *rows(), sep="\n")
