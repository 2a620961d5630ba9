"""The settings that the demonstration runs with: rates, budgets, tenants, two workers."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from workers.demo import organizations
from workers.embedded.system import PREFIX
from workers.sandbox.notifications.conversation_events import queue_id
from workers.sandbox.oauth import Client
from workers.sandbox.seed import seeded_clients

#: Fast enough to end soon, slow enough to be seen holding messages back.
RATES = "attributes=40/s,merge=15/s,sync=20/s,deploy=5/s,redact=15/s,sweep=1/s"

#: Calls a minute that a tenant may make to one system, for each message of the plan.
BUDGET_PER_MESSAGE = 10

#: The sandbox's own limit of calls to participants, low enough that its 429s are met.
PARTICIPANTS_PER_SECOND = 25

#: Seconds a run holds its operation: a second delivery meanwhile comes back after so long.
LEASE = 8

#: Seconds after which a gap that was searched is searched once more, and closed.
SETTLE = 1


_BRIDGE_SECRET = f"{PREFIX}BRIDGE_SECRET"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a plan of so many messages needs around it; files go to `folder`."""

    folder: Path
    messages: int
    #: The contacts whose topics the bridge listens to, by organisation.
    contacts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: What the bridge's receiver asks of whoever pushes events to it.
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def budget(self) -> int:
        """Calls a minute to one system, per tenant."""
        return BUDGET_PER_MESSAGE * max(self.messages, 100)

    def variables(self, sandbox_url: str) -> Mapping[str, str]:
        """Return the workers' settings; writes the tenants file that they name."""
        path = self.folder / "tenants.toml"
        path.write_text("\n".join(self._table(each, sandbox_url) for each in _clients("genesys")))
        return {
            "TENANTS_FILE": str(path),
            "QUEUE_RATES": RATES,
            "LEASE_SECONDS": str(LEASE),
            "SEAL_KEY": Fernet.generate_key().decode(),
            "LOG_LEVEL": "INFO",
            _BRIDGE_SECRET: self.secret,
            **{_variable(each): _secret(each) for each in seeded_clients()},
        }

    def _table(self, client: Client, url: str) -> str:
        (cxone,) = (c for c in _clients("cxone") if c.organization == client.organization)
        return f"""\
[tenants.{client.organization}]
api = "guide"
api_url = "{url}/genesys"
login_url = "{url}/genesys"
client_id = "{client.client_id}"
client_secret_env = "{_variable(client)}"
requests_per_minute = {self.budget}
[tenants.{client.organization}.sync]
target = "cxone-guide"
url = "{url}/cxone"
client_id = "{cxone.client_id}"
client_secret_env = "{_variable(cxone)}"
requests_per_minute = {self.budget}
[tenants.{client.organization}.bridge]
queues = ["{queue_id(client.organization)}"]
contacts = {json.dumps([*self.contacts.get(client.organization, ())])}
secret_env = "{_BRIDGE_SECRET}"
sources = ["aws.partner/genesys.com/cloud/{client.organization}/"]
settle_seconds = {SETTLE}
"""


def _clients(system: str) -> list[Client]:
    known = (organizations.DEFAULT, organizations.ACME)
    return [c for c in seeded_clients() if c.system == system and c.organization in known]


def _variable(client: Client) -> str:
    return f"{PREFIX}{client.organization}_{client.system}_SECRET".upper()


def _secret(client: Client) -> str:
    return client.secret.get_secret_value() if client.secret else ""
