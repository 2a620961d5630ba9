"""The workers' side of Kombu's Redis transport: broken messages are kept, not stumbled over.

It leans on private methods of Kombu 5.7: `Channel._brpop_read` and `Transport._deliver`.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty
from typing import Any

from kombu.transport.redis import Transport

from tasks.errors import Rejected
from workers import envelope

#: Keeps a broken message: its queue, its bytes, and the reason.
Park = Callable[[str, bytes, str], None]


def checked(transport: type[Transport], park: Park) -> type[Transport]:
    """Return `transport` with channels that deliver whole messages only and `park` the others."""

    class CheckedChannel(transport.Channel):  # type: ignore[misc,name-defined]  # Kombu is untyped
        def _brpop_read(self, **options: Any) -> bool:
            return read(self, park, **options)

    return type("CheckedTransport", (transport,), {"Channel": CheckedChannel})


def read(channel: Any, park: Park, **options: Any) -> bool:
    """Do what the stock method does, and check the message before it is delivered.

    The queue it came from is put in: what the message itself says of that is its producer's claim.
    """
    try:
        taken = _take(channel, **options)
        if not taken:
            raise Empty
        name, raw = taken
        queue = name.decode().rsplit(channel.sep, 1)[0]
        channel._queue_cycle.rotate(queue)
        try:
            message = envelope.read(raw)
        except Rejected as error:
            park(queue, raw, str(error))
        else:
            channel.connection._deliver(_from(queue, message), queue)
        return True
    finally:
        channel._in_poll = None
        channel._flush_brpop_reauth()


def _take(channel: Any, **options: Any) -> Any:
    try:
        return channel.client.parse_response(channel.client.connection, "BRPOP", **options)
    except channel.connection_errors:
        channel.client.connection.disconnect()
        raise


def _from(queue: str, message: dict[str, Any]) -> dict[str, Any]:
    properties = message["properties"]
    claimed = properties.get("delivery_info")
    redelivered = isinstance(claimed, dict) and bool(claimed.get("redelivered"))
    came = {"exchange": "", "routing_key": queue, "redelivered": redelivered}
    return {**message, "properties": {**properties, "delivery_info": came}}
