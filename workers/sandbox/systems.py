"""The simulated systems: what each answers, where, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workers.sandbox import cxone, genesys, platform
from workers.sandbox.arrival import Judge
from workers.sandbox.call import Route
from workers.sandbox.dialect import GUIDE, Dialect
from workers.sandbox.platform.dialect import PLATFORM
from workers.sandbox.platform.token_endpoint import give_token as give_platform_token
from workers.sandbox.token_endpoint import give_token


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """An outside system under a prefix of its own, which is its name."""

    name: str
    dialect: Dialect
    routes: tuple[Route, ...]
    #: Where it gives out tokens, and how.
    token_paths: tuple[str, ...] = ("/oauth/token",)
    give_token: Judge = give_token


_SYSTEMS = (
    System(
        name="genesys",
        dialect=GUIDE,
        routes=genesys.ROUTES,
        token_paths=("/oauth/token", "/login/oauth2/token"),
    ),
    System(name="cxone", dialect=GUIDE, routes=cxone.ROUTES),
    System(
        name="platform",
        dialect=PLATFORM,
        routes=platform.ROUTES,
        give_token=give_platform_token,
    ),
)
SYSTEMS: Mapping[str, System] = {system.name: system for system in _SYSTEMS}
