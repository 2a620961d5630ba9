"""Dashboards and alerts ask for what is really told; every alert has its part of the runbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from typer.main import get_command

from tasks.apis.calls import Call
from tests.support import promql
from tests.support.alert_rules import Alert, alerts
from tests.support.exposition import Exposition
from tests.support.statuses import queue, status, system
from workers.bridge.watching.metrics import BridgeMetrics
from workers.cli.main import app
from workers.metrics.cluster import Cluster
from workers.metrics.counts import Counts
from workers.metrics.recent import Recent
from workers.metrics.server import registry_of

DEPLOY = Path(__file__).parents[2] / "workers" / "deploy"
RUNBOOK = (DEPLOY / "runbook.md").read_text("utf-8")
DASHBOARDS = sorted((DEPLOY / "grafana").glob("*.json"))
ALERTS = list(alerts(DEPLOY / "prometheus" / "alerts.yml"))

#: What Prometheus adds itself, of every process that it scrapes.
ITS_OWN = {"up"}
ITS_LABELS = {"job", "instance"}


def worker_text() -> str:
    """Return what a worker shows that has counted one of everything."""
    counts = Counts()
    counts.ended("acme", "merge_profiles", "done")
    counts.repeated("acme", "merge_profiles")
    counts.took("acme", "merge_profiles", "claim", 1.0)
    counts.called("acme", "genesys", Call(method="GET", route="/a", needs=""), 200, 0.1)
    counts.put_back("acme", "merge_profiles", "budget")
    counts.parked("acme", "merge", "rejected")
    counts.found("acme", {"email": 1})
    counts.paused("acme", "genesys")
    return generate_latest(registry_of(counts.registry)).decode()


def cluster_text() -> str:
    seen = status(queues=(queue("merge.acme"),), systems=(system("acme", "genesys"),))
    registry = CollectorRegistry()
    registry.register(Cluster(Recent(ask=lambda: seen)))
    return generate_latest(registry).decode()


def bridge_text() -> str:
    """Return what a bridge tells that has met one of everything."""
    metrics = BridgeMetrics()
    metrics.received("acme", "websocket")
    metrics.unreadable("acme", "websocket", "not JSON")
    metrics.unmatched("acme", "v2.users.u-1.presence")
    metrics.enqueued("acme", "customer-left")
    metrics.duplicate("acme", "customer-left")
    metrics.dropped("acme", "customer-left", "too old")
    metrics.lag("acme", "websocket", 0.1)
    metrics.gaps("acme", "silence")
    metrics.open_gaps("acme", 1)
    metrics.backfilled("acme", 1)
    metrics.reconnects("acme")
    metrics.connected("acme", 1)
    metrics.rejected_topics("acme", 1)
    metrics.leader("acme", True)
    metrics.answered(200)
    return metrics.text().decode()


@cache
def told() -> Exposition:
    """Return everything that is told anywhere."""
    return Exposition("\n".join((worker_text(), cluster_text(), bridge_text())))


def known() -> set[str]:
    return promql.series(told().text) | ITS_OWN


def labels_of(metric: str) -> set[str]:
    if metric in ITS_OWN:
        return ITS_LABELS
    return {name for labels in told().samples[metric] for name, _ in labels} | ITS_LABELS


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", ())


def asked() -> Iterator[tuple[str, str]]:
    """Yield every expression, with where it stands."""
    for path in DASHBOARDS:
        for panel in panels(json.loads(path.read_text("utf-8"))):
            for target in panel.get("targets", ()):
                yield f"{path.stem}: {panel['title']} {target['refId']}", target["expr"]
    for alert in ALERTS:
        yield alert.name, alert.expr


ASKED = list(asked())
each_expression = pytest.mark.parametrize(
    "expression", [expr for _, expr in ASKED], ids=[where for where, _ in ASKED]
)
each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
each_board = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


@each_expression
def test_every_metric_that_is_asked_for_is_told(expression: str) -> None:
    names = promql.metrics(expression)
    assert names
    assert names <= known()


@each_expression
def test_every_label_that_is_asked_for_is_one_of_its_metric(expression: str) -> None:
    for metric, labels in promql.chosen(expression):
        assert labels <= labels_of(metric), metric
    available: set[str] = set()
    for metric in promql.metrics(expression):
        available |= labels_of(metric)
    assert promql.grouped(expression) <= available


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        (
            'sum by (le, queue) (rate(a_bucket{x=~"b|c", y!="d{e}"}[$__rate_interval]))',
            {"a_bucket"},
        ),
        ("histogram_quantile(0.99, sum(rate(a_bucket[5m]))) > 1e3", {"a_bucket"}),
        ("(max(a) == 0) and on (tenant) (b unless c offset 5m > bool 2)", {"a", "b", "c"}),
        ("absent(a:b) or max_over_time(c[2m:15s]) >= 0.98 * d", {"a:b", "c", "d"}),
    ],
)
def test_metrics_are_found_in_an_expression(expression: str, names: set[str]) -> None:
    assert promql.metrics(expression) == names


def test_what_is_told_for_the_cluster_no_worker_tells_and_the_other_way_round() -> None:
    both = promql.series(worker_text()) & promql.series(cluster_text())
    assert both == set(), "what two tell would be added up twice"


def test_names_say_their_unit_and_help_is_a_sentence() -> None:
    for text in (worker_text(), cluster_text()):
        for name, meaning in re.findall(r"^# HELP (genesys_workers\S+) (.*)$", text, re.M):
            assert meaning.endswith("."), name
            assert "_ms" not in name
            timed = any(word in name for word in ("latency", "wait", "left"))
            assert not timed or name.endswith("_seconds"), name


@each_board
def test_a_dashboard_leaves_the_datasource_to_whoever_imports_it(path: Path) -> None:
    board = json.loads(path.read_text("utf-8"))
    variables = {each["name"]: each for each in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    assert board["id"] is None
    for panel in panels(board):
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"
            assert all(each["datasource"]["uid"] == "${datasource}" for each in panel["targets"])


@each_board
def test_panels_have_a_place_and_a_number_of_their_own_and_a_unit(path: Path) -> None:
    taken: dict[tuple[int, int], str] = {}
    numbers: set[int] = set()
    for panel in panels(json.loads(path.read_text("utf-8"))):
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
        assert panel["id"] not in numbers
        numbers.add(panel["id"])
        if panel["type"] != "row":
            assert panel["fieldConfig"]["defaults"]["unit"]
            letters = [each["refId"] for each in panel["targets"]]
            assert len(letters) == len(set(letters)) > 0


def test_the_dashboard_has_a_row_for_each_question() -> None:
    board = json.loads((DEPLOY / "grafana" / "genesys-workers.json").read_text("utf-8"))
    rows = [panel["title"] for panel in board["panels"] if panel["type"] == "row"]
    assert rows == [
        "Throughput and outcomes",
        "Latency",
        "Queues",
        "Budgets and pauses",
        "API",
        "Dead letters",
        "Bridge",
    ]


def test_alerts_are_all_read() -> None:
    text = (DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8")
    assert len(ALERTS) == text.count("alert:") > 20
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)


@each_alert
def test_an_alert_says_what_it_means_and_what_to_do(alert: Alert) -> None:
    assert alert.severity in ("critical", "warning", "info")
    assert alert.summary
    assert alert.description.endswith(".")
    page, _, anchor = alert.runbook.partition("#")
    assert page == "runbook"
    assert anchor in anchors()


def anchors() -> dict[str, str]:
    """Return the runbook's parts by their anchors."""
    parts = re.split(r"^### ", RUNBOOK, flags=re.MULTILINE)[1:]
    heads = (part.partition("\n") for part in parts)
    return {re.sub(r"[^a-z0-9]+", "-", head.lower()).strip("-"): rest for head, _, rest in heads}


def test_every_part_of_the_runbook_is_some_alerts() -> None:
    assert set(anchors()) == {alert.runbook.partition("#")[2] for alert in ALERTS}


@pytest.mark.parametrize("anchor", anchors())
def test_every_part_of_the_runbook_says_what_it_means_where_to_look_and_what_to_do(
    anchor: str,
) -> None:
    text = anchors()[anchor]
    for heading in ("**Means.**", "**Look.**", "**Do.**"):
        assert heading in text
    names = {alert.name for alert in ALERTS if alert.runbook.endswith(f"#{anchor}")}
    assert all(f"`{name}`" in text for name in names)


def commands() -> Iterator[tuple[str, ...]]:
    """Yield the commands that there are, by their words."""
    for name, command in vars(get_command(app))["commands"].items():
        yield (name,)
        yield from ((name, each) for each in getattr(command, "commands", {}))


@pytest.mark.parametrize(
    "line", sorted(set(re.findall(r"`genesys-workers ([^`]+)`", RUNBOOK))), ids=str
)
def test_every_command_of_the_runbook_exists(line: str) -> None:
    words = tuple(line.split())
    there = set(commands())
    assert words[:1] in there
    if any(len(each) == 2 and each[0] == words[0] for each in there) and len(words) > 1:
        assert words[1].startswith("-") or words[:2] in there


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"genesys_(?:workers|bridge)_\w+", RUNBOOK))), ids=str
)
def test_every_metric_of_the_runbook_is_told(name: str) -> None:
    assert name in known() | set(promql.families(told().text))


#: Whatever looks like one; the only other such name is that of a queue.
EVENTS = sorted(set(re.findall(r"`([a-z]+\.[a-z_]+)`", RUNBOOK)) - {"merge.typo"})


@pytest.mark.parametrize("event", EVENTS, ids=str)
def test_every_log_event_of_the_runbook_is_logged_somewhere(event: str) -> None:
    sources = (DEPLOY.parent).rglob("*.py")
    assert any(f'"{event}"' in path.read_text("utf-8") for path in sources)
