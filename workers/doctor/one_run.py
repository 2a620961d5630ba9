"""What calls of the doctor go by: tokens of its own, and budgets where there is a Redis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.apis.calls import Allowance
from tasks.apis.tokens import Token


@dataclass(frozen=True, kw_only=True)
class OwnTokens:
    """Implements `TokenStore` for one run: the cluster's token may be older than the secret."""

    _held: dict[str, str] = field(default_factory=dict, repr=False)

    def obtain(self, client: str, fetch: Callable[[], Token], *, refused: str | None = None) -> str:
        """Return the token of this run; one that was refused is asked for again."""
        if self._held.get(client) == refused:
            self._held[client] = fetch().value
        return self._held[client]


class Uncounted:
    """Implements `Gate` where no Redis can be asked for the budget."""

    def enter(self) -> None:
        """Let the call leave."""

    def settle(self, allowance: Allowance) -> None:
        """Keep no count."""
