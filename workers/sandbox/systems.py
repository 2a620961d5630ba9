"""The simulated systems: what each answers, where, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.sandbox import cognigy, cxone, cxone_digital, genesys, platform
from workers.sandbox.arrival import Judge
from workers.sandbox.call import Route
from workers.sandbox.cognigy.dialect import COGNIGY
from workers.sandbox.cxone_digital import access_keys, discovery
from workers.sandbox.cxone_digital.dialect import DFO
from workers.sandbox.dialect import GUIDE, Dialect
from workers.sandbox.platform import available_topics, channels, subscriptions
from workers.sandbox.platform.channel_socket import connect
from workers.sandbox.platform.channels import SOCKET
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
    #: What anybody may GET, by path.
    public: Mapping[str, Judge] = field(default_factory=dict)


#: The guides name none of them, and no scope for them: any token of a client will do.
_NOTIFICATIONS = (*available_topics.ROUTES, *channels.ROUTES, *subscriptions.ROUTES)
_SYSTEMS = (
    System(
        name="genesys",
        dialect=GUIDE,
        routes=(*genesys.ROUTES, *_NOTIFICATIONS),
        token_paths=("/oauth/token", "/login/oauth2/token"),
        public={SOCKET: connect},
    ),
    System(name="cxone", dialect=GUIDE, routes=cxone.ROUTES),
    System(
        name="platform",
        dialect=PLATFORM,
        routes=platform.ROUTES,
        give_token=give_platform_token,
        public={SOCKET: connect},
    ),
    System(
        name="dfo",
        dialect=DFO,
        routes=cxone_digital.ROUTES,
        token_paths=(access_keys.FORM_PATH, access_keys.JSON_PATH),
        give_token=access_keys.give_token,
        public={discovery.PATH: discovery.read_configuration},
    ),
    System(name="cognigy", dialect=COGNIGY, routes=cognigy.ROUTES, token_paths=()),
)
SYSTEMS: Mapping[str, System] = {system.name: system for system in _SYSTEMS}
