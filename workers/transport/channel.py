"""Kombu's Redis transport with claims in the place of `BRPOP`.

It leans on private methods of Kombu 5.7, which a test compares with their known text: where a new
version of Kombu changes one, this module has to be read against it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty
from time import monotonic
from typing import Any

from kombu.asynchronous import get_event_loop
from kombu.transport import redis as stock
from kombu.transport import virtual
from redis.exceptions import NoScriptError

from workers.limits.priority import offered
from workers.transport.claims import Claimed, Claims, Question, answer
from workers.transport.leases import Leases

SCRIPT = "claim_message"

#: Kombu's stubs know neither.
_Channel: Any = stock.Channel
_QoS: Any = virtual.QoS

#: Takes a claim and returns the message in Kombu's form; None where it is none for Celery, and has
#: been dealt with.
Read = Callable[[Claimed], dict[str, Any] | None]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What channels work with: how messages are asked for, read, and held.

    `question` returns what to ask for on these queues, None where they hold no work: the replies
    to remote control come the same way.
    """

    claims: Claims
    leases: Leases
    question: Callable[[tuple[str, ...]], Question | None]
    read: Read


def claiming(transport: type[stock.Transport], desk: Desk) -> type[stock.Transport]:
    """Return `transport`, the plain one or Sentinel's, with channels that claim their messages."""
    channel = type("ClaimingChannel", (ClaimingChannel, transport.Channel), {"desk": desk})
    return type("ClaimingTransport", (transport,), {"Channel": channel})


class Held(_QoS):  # type: ignore[misc]  # see above
    """The messages of a channel; the process holds their claims, so that they outlive it."""

    restore_at_shutdown = False

    @property
    def free(self) -> int:
        """Slots that are free, counted over all channels that this process ever had."""
        return int(self.prefetch_count or 1) - len(self.channel.desk.leases)

    def can_consume(self) -> bool:
        if not self.prefetch_count:  # remote control's own channel
            return True
        # Marked first: a slot that becomes free in between has to wake the loop.
        self.channel.is_full = True
        if self.free > 0 or self.channel._in_poll:
            self.channel.is_full = False
        return not self.channel.is_full

    def ack(self, delivery_tag: str) -> None:
        self.channel.desk.leases.end(delivery_tag)
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: ARG002  # Kombu's
        """Put the message back, also where Celery would drop it."""
        self.channel.desk.leases.put_back(delivery_tag)
        super().ack(delivery_tag)

    def restore_unacked_once(self, stderr: Any = None) -> None:  # noqa: ARG002  # Kombu's
        """Do nothing: what runs goes on, and leases bring back the rest."""
        self._on_collect.cancel()

    def restore_visible(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the script that claims restores, too."""


class ClaimingChannel(_Channel):  # type: ignore[misc]  # see above
    """A channel that sends one script where Kombu's sends `BRPOP`."""

    QoS = Held
    desk: Desk
    is_full = False
    _asked = False
    _next_question = 0.0
    _alone = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._commands: dict[Any, Any] = {}
        super().__init__(*args, **kwargs)
        self.desk.leases.on_free = self._on_free

    def basic_cancel(self, consumer_tag: str) -> Any:
        cancelled = super().basic_cancel(consumer_tag)
        if self._asked and not self.active_queues:
            self._take_back(self._reply())
        return cancelled

    def _brpop_start(self, timeout: float | None = None) -> None:
        queues = tuple(self.active_queues)
        question = self.desk.question(queues)
        if question is None:
            super()._brpop_start(timeout)
        elif monotonic() >= self._next_question and not self._is_occupied():
            connection = self._in_poll = self.client.connection
            self._brpop_sent_at = monotonic()
            self._asked = True
            connection.send_packed_command(self._packed(queues, question, connection))

    def _is_occupied(self) -> bool:
        """Whether a message is being carried out that nothing may run beside."""
        self._alone = self._alone and len(self.desk.leases) > 0
        return self._alone

    def _packed(self, queues: tuple[str, ...], question: Question, connection: Any) -> Any:
        """Return the script's call for the slots that are free now; each is packed once."""
        slots = self.qos.prefetch_count or 1
        form = (queues, offered(slots, self.qos.free), self.qos.free == slots)
        if form not in self._commands:
            _, classes, idle = form
            sha = self.desk.claims.store.sha(SCRIPT)
            arguments = question.arguments(classes, idle=idle)
            command = ("EVALSHA", sha, len(question.keys), *question.keys, *arguments)
            self._commands[form] = connection.pack_command(*command)
        return self._commands[form]

    def _brpop_read(self, **options: Any) -> bool:
        if not self._asked:
            return bool(super()._brpop_read(**options))
        reply = self._reply(**options)
        if self._closing:
            self._take_back(reply)
            raise Empty
        if isinstance(reply, float):
            self._ask_again(reply)
            raise Empty
        self._deliver(reply)
        return True

    def _take_back(self, reply: Claimed | float) -> None:
        """Put back what has arrived for a consumer that takes no more."""
        if isinstance(reply, Claimed):
            self.desk.claims.settle([("return", reply.tag, None)])

    def _reply(self, **options: Any) -> Claimed | float:
        connection = self.client.connection
        try:
            return answer(self.client.parse_response(connection, "EVALSHA", **options))
        except NoScriptError:
            self.desk.claims.store.load(SCRIPT)
            return 0.0
        except self.connection_errors:
            connection.disconnect()
            raise
        finally:
            self._in_poll = None
            self._asked = False
            self._flush_brpop_reauth()

    def _ask_again(self, seconds: float) -> None:
        self._next_question = monotonic() + seconds
        if loop := get_event_loop():
            loop.call_later(seconds, self._may_ask)

    def _may_ask(self) -> None:
        self._next_question = 0.0

    def _deliver(self, claimed: Claimed) -> None:
        message = self.desk.read(claimed)
        if message is not None:
            self._alone = claimed.verdict == "alone"
            self.desk.leases.hold(claimed.tag)
            try:
                self._ask_ahead()
                self.connection._deliver(message, claimed.queue)
            except Exception:
                # Celery tells of it before the pool has it, on a connection that may be cut.
                self.desk.leases.put_back(claimed.tag)
                raise

    def _ask_ahead(self) -> None:
        """Let Redis look for the next message while this one is handed over."""
        if self.qos.free > 0 and self.active_queues:
            self._brpop_start()

    def _on_free(self) -> None:
        loop = get_event_loop()
        if self.is_full and loop:
            self.is_full = False
            loop.call_soon(self._may_ask)
