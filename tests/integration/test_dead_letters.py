"""The list of dead letters, as a script and as a person read it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from redis import Redis
from rich.console import Console

from tests.support.cluster import Cluster
from tests.support.letters import park
from workers.cli.dead_letters import table
from workers.cli.main import run
from workers.dead_letters import DeadLetter, DeadLetters
from workers.sealing import Seal
from workers.store import Store


@pytest.fixture
def letters(redis: Redis) -> DeadLetters:
    return DeadLetters(store=Store(redis=redis), seal=Seal())


def letter(number: int) -> DeadLetter:
    return DeadLetter(
        id=f"default:m-{number}",
        task="merge_profiles",
        queue="merge",
        tenant="default",
        status="rejected",
        reason=f"[field] {number}: rule",
        attempts=number,
        at=float(number),
    )


def test_a_script_gets_one_json_object_a_line(
    cluster: Cluster,
    letters: DeadLetters,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in cluster.variables().items():
        monkeypatch.setenv(name, value)
    for number in (2, 1):
        park(letters, letter(number), b"{}")
    assert run(["dead-letters", "list"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in said] == [vars(letter(1)), vars(letter(2))]


def test_a_person_sees_ids_and_attempts() -> None:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table([letter(1), letter(22)]))
    heading, first, second = (
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in capture.get().replace("┃", "│").splitlines()
        if "│" in line
    )
    assert heading == ["when", "id", "task", "tenant", "status", "attempts", "reason"]
    assert first[1:2] + first[5:] == ["default:m-1", "1", "[field] 1: rule"]
    assert second[1:2] + second[5:] == ["default:m-22", "22", "[field] 22: rule"]


def test_letters_are_read_in_batches(redis: Redis, letters: DeadLetters) -> None:
    for number in range(1, 1_202):
        park(letters, letter(number), b"{}")
    redis.config_resetstat()
    assert [each.attempts for each in letters.letters()] == list(range(1, 1_202))
    commands: Any = redis.info("commandstats")
    assert commands["cmdstat_hmget"]["calls"] == 3
    assert "cmdstat_hget" not in commands
