"""What the bridge has done, as its own metrics tell."""

from __future__ import annotations

from collections import Counter

import requests
from prometheus_client.parser import text_string_to_metric_families

from workers.demo import organizations
from workers.sandbox.testing import SandboxHandle

#: What is shown of the counts, those of events by their source.
SHOWN = {
    "events websocket": "event by WebSocket",
    "events eventbridge": "event by EventBridge",
    "events backfill": "event found in gaps",
    "gaps": "gap",
    "enqueued": "message",
    "backfilled": "message of them from gaps",
    "duplicates": "duplicate",
}
SECONDS = 10


def hears(sandbox: SandboxHandle) -> bool:
    """Return whether a channel of every tenant is heard."""
    heard = {each["organization"] for each in sandbox.channels() if each["connected"]}
    return heard >= {organizations.DEFAULT, organizations.ACME}


def line(url: str) -> str:
    """Return what a bridge has counted, for people."""
    with requests.Session() as session:
        session.trust_env = False
        text = session.get(f"{url}/metrics", timeout=SECONDS).text
    return described(text)


def described(text: str) -> str:
    """Return what metrics in Prometheus' format tell of a bridge."""
    sums: Counter[str] = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.endswith("_total"):
                sums[family.name] += round(sample.value)
                sums[f"{family.name} {sample.labels.get('source', '')}"] += round(sample.value)
    counts = {name.removeprefix("genesys_bridge_"): count for name, count in sums.items()}
    shown = (f"{counts.get(name, 0)} × {what}" for name, what in SHOWN.items())
    return f"bridge: {', '.join(shown)}"
