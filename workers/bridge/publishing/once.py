"""Puts what rules want on its queues, each occurrence once, many messages in one round trip.

`send_once.lua` decides in one step whether a message is new, and puts it if it is. So several
bridges, sources and repetitions may offer the same occurrences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tasks.messages import Message
from workers.bridge.judging.matching import Wanted
from workers.bridge.judging.rules import OLDEST
from workers.limits.rates import tenant_queue
from workers.remembering.ledger import entry_key, fingerprint
from workers.sending.outbox import Outbox
from workers.store import Call, key
from workers.watching.tracing import Span

#: Headers that link a message to the span of its event.
Links = Mapping[str, str]

Put = Literal["new", "duplicate"]

#: Seconds for which what occurred to a subject is remembered, at least, after the last occurrence:
#: no rule takes older events.
REMEMBERED = round(OLDEST.total_seconds())

_PUTS: dict[bytes, Put] = {b"new": "new", b"duplicate": "duplicate"}


@dataclass(frozen=True, kw_only=True)
class Once:
    """Puts messages as `outbox` stores them.

    What occurred is remembered for as long as the ledger remembers the operation about it, at
    least: else a return to an old state would be taken for a repetition of it.
    """

    outbox: Outbox

    def put(self, wanted: Sequence[Wanted]) -> list[Put]:
        """Put each message that is new, as if one after the other; return what each was.

        It takes two round trips at most. A return to an old state is put in the first one only if
        more about its subject follows, which is to find it put; else its message is made for the
        second one, since most are none. Raises redis-py's errors: some messages may be put then,
        and putting all again is safe.
        """
        spans = [self._begun(each) for each in wanted]
        try:
            puts = self._put(wanted, [span.headers() for span in spans])
        except Exception:
            for span in spans:
                span.end(failed=True)
            raise
        for span, put in zip(spans, puts, strict=True):
            span.tell(put=put)
            span.end()
        return puts

    def _begun(self, wanted: Wanted) -> Span:
        """Begin the span of an event's message: what the message does follows from it."""
        return self.outbox.tracer.begin(
            f"put {wanted.message.task}",
            "producer",
            tenant=wanted.message.tenant,
            task=wanted.message.task,
            rule=wanted.rule,
            source=wanted.source,
            correlation_id=wanted.message.correlation_id,
        )

    def _put(self, wanted: Sequence[Wanted], links: Sequence[Links]) -> list[Put]:
        last = {_subject(each): place for place, each in enumerate(wanted)}
        calls = [
            self._call(each, links[place], returns=last[_subject(each)] != place)
            for place, each in enumerate(wanted)
        ]
        answers = self._ask(calls)
        returned = [place for place, answer in enumerate(answers) if answer == b"again"]
        calls = [self._call(wanted[place], links[place], returns=True) for place in returned]
        for place, answer in zip(returned, self._ask(calls), strict=True):
            answers[place] = answer
        return [_PUTS[answer] for answer in answers]

    def _ask(self, calls: Sequence[Call]) -> list[Any]:
        return self.outbox.store.run_each("send_once", calls) if calls else []

    def _call(self, wanted: Wanted, links: Links, *, returns: bool) -> Call:
        message, occurrence = wanted.message, wanted.occurrence
        queue = tenant_queue(message.queue, message.tenant)
        keep = round(self.outbox.keep * 1000)
        keys = [_subject(wanted), queue, _entry(message)]
        arguments = [
            occurrence.value,
            occurrence.at,
            max(REMEMBERED * 1000, keep),
            keep,
            fingerprint(message.task, message.arguments()),
            message.operation_id,
            self._stored(message, queue, links),
        ]
        if returns:
            name = occurrence.again(occurrence.at)
            message = message.model_copy(update={"operation_id": name})
            keys.append(_entry(message))
            arguments += [name, self._stored(message, queue, links)]
        return keys, arguments

    def _stored(self, message: Message, queue: str, links: Links) -> str:
        return self.outbox.stored(str(message.operation_id), message, queue, links=links)


def _subject(wanted: Wanted) -> str:
    return key("occurrence", wanted.message.tenant, wanted.occurrence.subject)


def _entry(message: Message) -> str:
    return entry_key(message.tenant, str(message.operation_id))
