"""Everything one sandbox holds: the world, its clients and what watches over them."""

from __future__ import annotations

import random
from collections.abc import Callable

from workers.sandbox.faults import FaultBook
from workers.sandbox.genesys import live_chats
from workers.sandbox.journal import Journal
from workers.sandbox.limits import Limits
from workers.sandbox.oauth import Client, Tokens
from workers.sandbox.options import Options
from workers.sandbox.seed import begin_live, kept, seeded_clients
from workers.sandbox.world import World, new_id


class Simulation:
    """One sandbox's state. Equal seeds and clocks make equal worlds, ids included."""

    clients: dict[str, Client]
    tokens: Tokens
    limits: Limits
    faults: FaultBook
    journal: Journal
    world: World
    options: Options

    def __init__(self, *, seed: int, options: Options, clock: Callable[[], float]) -> None:
        self._seed = seed
        self._options = options
        self._clock = clock
        self._begin()

    def reset(self, seed: int | None = None) -> None:
        """Begin again as at the start: data, clients, options; no tokens, faults or journal."""
        self._seed = self._seed if seed is None else seed
        self.world.notifications.hang_up()
        self._begin()

    def _begin(self) -> None:
        self.options = self._options
        self.clients = {client.client_id: client for client in seeded_clients()}
        self.tokens = Tokens(self._chance("tokens"))
        self.limits = Limits()
        self.faults = FaultBook(self._chance("faults"))
        self._correlation = self._chance("correlation")
        self.journal = Journal(self.options.journal_limit)
        organizations, rng = kept.organizations(self._purpose("world"))
        self.world = World(
            clock=self._clock,
            rng=rng,
            notifications_rng=self._chance("notifications"),
            organizations=organizations,
        )
        begin_live(self.world)
        live_chats.go_on(self.world, self.options)

    def correlation_id(self) -> str:
        """An id for a request that came without one."""
        return new_id(self._correlation)

    def _chance(self, purpose: str) -> random.Random:
        return random.Random(self._purpose(purpose))

    def _purpose(self, purpose: str) -> str:
        # A stream of its own for each purpose: requests do not change the data that follows.
        return f"{self._seed}:{purpose}"
