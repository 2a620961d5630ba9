"""What waits to be written to customers, and what was written last, in Redis for all workers.

Values wait sealed and only until they are written; of what was written, stamps and keyed digests
are remembered.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import simplejson

from tasks.apis.customers import CustomerAttribute
from tasks.compact_json import compact_json
from tasks.errors import SettingsError
from tasks.pending import Changes, Stamp, Waiting
from tasks.refusals import shown_customer
from workers.letters.sealing import Seal
from workers.remembering.ledger import Claim
from workers.store import Store, key

#: The window of a customer to whom nothing can be written.
HELD = b"held"


@dataclass(frozen=True, kw_only=True)
class PendingInRedis:
    """Implements `Pending` for the attempt that `claim` grants; `keep` is in seconds.

    What was written is forgotten `keep` seconds after the last write of the customer, however often
    it was found to be so already: a store may forget a customer that nobody writes to.
    """

    store: Store
    claim: Claim
    seal: Seal
    keep: int

    def stamp(self, occurred_at: datetime | None) -> Stamp:
        claimed = datetime.fromtimestamp(self.claim.first_at, UTC)
        return Stamp.of(self.claim.operation_id, claimed, occurred_at)

    def gather(
        self, customer_id: str, values: Mapping[str, CustomerAttribute], stamp: Stamp, window: float
    ) -> float:
        sealed = [(encoded(name), self.seal.seal(_bytes(each))) for name, each in values.items()]
        wait = self.store.run(
            "gather_values",
            [*self._keys(customer_id), self._key("window", customer_id)],
            [
                str(stamp),
                round(window * 1000),
                self.keep * 1000,
                *(part for pair in sealed for part in pair),
            ],
        )
        return int(wait) / 1000

    def changes(self, customer_id: str) -> Changes:
        with self.store.redis.pipeline(transaction=True) as transaction:
            for name in self._keys(customer_id):
                transaction.hgetall(name)
            transaction.get(self._key("window", customer_id))
            transaction.pttl(self._key("window", customer_id))
            waiting, written, window, left = transaction.execute()
        known = {_decoded(name): _split(value) for name, value in written.items()}
        return Changes(
            waiting=dict(self._waiting(customer_id, waiting, known)),
            written={name: stamp for name, (stamp, _) in known.items()},
            held=max(0, left) / 1000 if window == HELD else 0.0,
        )

    def _waiting(
        self, customer_id: str, held: Mapping[bytes, bytes], known: Mapping[str, Any]
    ) -> Iterator[tuple[str, Waiting]]:
        for name, value in ((_decoded(name), value) for name, value in held.items()):
            stamp, sealed = _split(value)
            try:
                content = self.seal.open(sealed)
            except SettingsError:
                continue  # whose it is finds it missing, and lets it wait anew
            _, digest = known.get(name, (None, b""))
            yield (
                name,
                Waiting(
                    stamp=stamp,
                    attribute=CustomerAttribute(**_loads(content)),
                    same=digest in self._digests(customer_id, name, content),
                ),
            )

    def hold(self, customer_id: str, seconds: float) -> None:
        life = max(1, round(seconds * 1000))
        self.store.redis.set(self._key("window", customer_id), HELD, px=life)

    def doubt(self, customer_id: str, names: Sequence[str]) -> None:
        written = self._key("written", customer_id)
        self.store.run("doubt_values", [written], [self.keep * 1000, *map(encoded, names)])

    def written(self, customer_id: str, values: Mapping[str, Waiting]) -> None:
        digests = {
            name: self._digests(customer_id, name, _bytes(value.attribute))[0]
            for name, value in values.items()
        }
        self._note(customer_id, values, digests)

    def drop(self, customer_id: str, values: Mapping[str, Waiting]) -> None:
        self._note(customer_id, values, {})

    def _note(
        self, customer_id: str, values: Mapping[str, Waiting], digests: Mapping[str, bytes]
    ) -> None:
        arguments: list[Any] = [self.keep * 1000]
        for name, value in values.items():
            arguments += [encoded(name), str(value.stamp), digests.get(name, b"")]
        self.store.run("note_values", self._keys(customer_id), arguments)

    def _digests(self, customer_id: str, name: str, content: bytes) -> list[bytes]:
        """Tell values apart without keeping them: nobody without the key can try values out.

        There is one by each key, first by that which seals.
        """
        parts = (self.claim.tenant.encode(), customer_id.encode(), encoded(name), content)
        return [
            hmac.new(secret, b"\0".join(parts), hashlib.sha256).hexdigest().encode()
            for secret in self.seal.secrets
        ]

    def _keys(self, customer_id: str) -> list[str]:
        return [self._key("pending", customer_id), self._key("written", customer_id)]

    def _key(self, what: str, customer_id: str) -> str:
        return key(what, self.claim.tenant, shown_customer(customer_id))


def _bytes(attribute: CustomerAttribute) -> bytes:
    return compact_json({"name": attribute.name, "type": attribute.type, "value": attribute.value})


def _loads(content: bytes) -> Any:
    """Read what `_bytes` wrote: every number as a `Decimal`, digit for digit."""
    return simplejson.loads(content, parse_float=Decimal, parse_int=Decimal)


def _split(value: bytes) -> tuple[Stamp, bytes]:
    stamp, _, rest = value.partition(b"\n")
    return Stamp.parse(stamp.decode()), rest


def encoded(name: str) -> bytes:
    """Return a field's name as a key of a hash: a vendor's may hold what UTF-8 cannot."""
    return name.encode(errors="surrogatepass")


def _decoded(name: bytes) -> str:
    return name.decode(errors="surrogatepass")
