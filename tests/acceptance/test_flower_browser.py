"""Flower in a real browser, as an operator sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.browser import Browser, browser, program
from tests.support.cluster import Cluster
from tests.support.flower import RunningFlower, flower
from tests.support.worker_process import WorkerProcess
from workers.app import WorkersApp

CANARY = "canary-7f3a@example.com"


@pytest.fixture(scope="module")
def shown(cluster: Cluster, worker: WorkerProcess, folder: Path) -> Iterator[RunningFlower]:
    program()
    with flower(cluster.redis_url, folder) as running:
        running.hears()
        yield running


@pytest.fixture(scope="module")
def merged(cluster: Cluster, app: WorkersApp, shown: RunningFlower) -> str:
    """The id of a merge of two guests that Flower has seen end, whose profiles hold the canary."""
    guests = {"guest-1": {"email": CANARY}, "profile-9": {"firstName": CANARY}}
    for name, attributes in guests.items():
        cluster.sandbox.put("profiles", name, {"customAttributes": attributes})
    asked = {"source_profile_ids": ["guest-1"], "target_profile_id": "profile-9"}
    client = app.services.producer.app
    sent = client.send_task("merge_profiles", kwargs=asked, queue="merge").id
    shown.await_state(sent, "SUCCESS")
    return str(sent)


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path) as running:
        yield running


def by(flower: RunningFlower, path: str) -> str:
    """Return a URL that logs in."""
    return flower.url.replace("://", f"://{flower.user}:{flower.password}@") + path


def test_a_finished_merge_is_found_and_nothing_personal_is_seen(
    cluster: Cluster, shown: RunningFlower, merged: str, tab: Browser
) -> None:
    assert tab.open(by(shown, "/tasks")) == 200
    row_of = f"""[...document.querySelectorAll('#tasks-table tbody tr')]
        .find(row => row.innerHTML.includes('{merged}'))"""
    tab.wait_for(f"Boolean({row_of})", "the merge is listed")
    row: Any = tab.run(f"{row_of}.innerText")
    assert "merge_profiles" in row
    assert "SUCCESS" in row
    pages = [tab.html()]

    tab.run(f"document.querySelector('a[href$=\"/task/{merged}\"]').click()")
    tab.wait_for("location.pathname.startsWith('/task/')", "its page is opened")
    tab.wait_for("document.readyState === 'complete'", "its page is loaded")
    told = tab.text()
    assert "{source_profile_ids, target_profile_id}" in told
    assert "'status': 'done'" in told
    pages.append(tab.html())

    for path in ("/", "/broker"):
        assert tab.open(by(shown, path)) == 200
        tab.wait_for("document.querySelectorAll('tbody tr').length > 0", f"{path} shows rows")
        pages.append(tab.html())
    assert "merge.acme" in pages[-1]

    assert not [page for page in pages if CANARY in page]
    assert cluster.sandbox.get("profiles", "profile-9")["customAttributes"]["email"] == CANARY
    # Nothing of the page comes from anybody else, and all of it works.
    assert {urlsplit(url).hostname for url in tab.asked if url.startswith("http")} == {"127.0.0.1"}
    assert tab.errors == []


def test_without_the_password_nothing_is_seen(
    shown: RunningFlower, merged: str, tab: Browser
) -> None:
    for path in ("/tasks", f"/task/{merged}"):
        assert tab.open(shown.url + path) == 401
        assert "merge_profiles" not in tab.html()
