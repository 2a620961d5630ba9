"""Messages that set an attribute, each for another one of many conversations that go on."""

from __future__ import annotations

from tests.benchmarks import prepared
from tests.benchmarks.place import Place
from workers.sandbox.testing import SandboxHandle

CONVERSATIONS = 1_000


def conversations(sandbox: SandboxHandle) -> list[str]:
    """Add the conversations, with nothing set, and return their ids."""
    pattern = sandbox.get("conversations", sandbox.ids("conversations", state="active")[0])
    added = {}
    for number in range(CONVERSATIONS):
        own = f"bench-{number}"
        people = [
            {**each, "id": f"{own}-{place}"} for place, each in enumerate(pattern["participants"])
        ]
        added[own] = {**pattern, "id": own, "participants": people}
    sandbox.put_many("conversations", added)
    return list(added)


def messages(place: Place, count: int) -> list[bytes]:
    """Return so many messages, each of which changes a value if all before it have been."""
    arguments = [
        {"conversation_id": each, "attributes": {"bench": str(turn)}}
        for turn in range(2)
        for each in conversations(place.sandbox)
    ]
    return list(prepared.messages(place.redis, place.url, "set_attributes", arguments, count))
