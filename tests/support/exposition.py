"""What Prometheus would scrape, read by its own client's parser."""

from __future__ import annotations

from collections.abc import Mapping

import requests
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

Labels = frozenset[tuple[str, str]]


class Exposition:
    """The samples of one scrape, by name and labels."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples: dict[str, dict[Labels, float]] = {}
        for family in text_string_to_metric_families(text):
            self.samples.setdefault(family.name, {})
            for sample in family.samples:
                found = self.samples.setdefault(sample.name, {})
                found[frozenset(sample.labels.items())] = sample.value

    def value(self, name: str, **labels: str) -> float | None:
        """Return the sample with exactly these labels, None where there is none."""
        return self.samples.get(name, {}).get(frozenset(labels.items()))

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of all samples with these labels, and whatever others."""
        wanted = set(labels.items())
        return sum(value for each, value in self.samples.get(name, {}).items() if wanted <= each)

    def labels(self) -> Mapping[str, set[str]]:
        """Return which values each label has, over all samples."""
        found: dict[str, set[str]] = {}
        for samples in self.samples.values():
            for labels in samples:
                for name, value in labels:
                    found.setdefault(name, set()).add(value)
        return found


def of(*collectors: Collector) -> Exposition:
    """Return what `collectors` show."""
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return Exposition(generate_latest(registry).decode())


def scraped(address: str) -> Exposition:
    """Return what a process shows at `address`."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"http://{address}/metrics", timeout=10)
    assert answer.status_code == 200, answer.text
    return Exposition(answer.text)
