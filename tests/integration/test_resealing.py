"""`dead-letters reseal`: every letter under the newest key, whatever happens to it meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from redis import Redis

from tests.support.cluster import Cluster
from tests.support.letters import park
from workers.cli.main import FAILED, MISUSED, run
from workers.letters.clearing import STEP
from workers.letters.dead_letters import PAYLOADS, DeadLetter, DeadLetters
from workers.letters.resealing import Resealed, reseal
from workers.letters.sealing import Seal
from workers.store import Store

Captured = pytest.CaptureFixture[str]

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


def kept(redis: Redis, key: str | None) -> DeadLetters:
    return DeadLetters(store=Store(redis=redis), seal=Seal(key=key))


def put(letters: DeadLetters, name: str, payload: bytes = b"{}") -> None:
    letter = DeadLetter(
        id=f"default:{name}",
        task="sync_profile",
        queue="sync",
        tenant="default",
        status="failed",
        reason="gave up",
        attempts=8,
        at=1.0,
    )
    park(letters, letter, payload)


@pytest.fixture
def here(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster to which this process' environment leads, in the midst of a change of keys."""
    for name, value in cluster.variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SEAL_KEY", f"{NEW},{OLD}")
    return cluster


def test_afterwards_the_new_key_alone_opens_every_letter(
    here: Cluster, redis: Redis, capsys: Captured
) -> None:
    for number in range(250):
        put(kept(redis, OLD), f"old-{number}", b"canary %d" % number)
    put(kept(redis, None), "plain", b"canary of none")
    put(kept(redis, NEW), "new", b"canary of new")
    assert run(["dead-letters", "reseal"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "resealed 251, were so already 1, not opened 0\n")
    renewed = kept(redis, NEW)
    for number in range(250):
        assert renewed.content(f"default:old-{number}") == b"canary %d" % number
    assert renewed.content("default:plain") == b"canary of none"
    assert renewed.content("default:new") == b"canary of new"
    assert b"canary" not in b"".join(redis.hvals(PAYLOADS))  # type: ignore[arg-type]


def test_a_second_run_has_nothing_left_to_do(here: Cluster, redis: Redis, capsys: Captured) -> None:
    put(kept(redis, OLD), "a")
    run(["dead-letters", "reseal"])
    before = redis.hgetall(PAYLOADS)
    capsys.readouterr()
    assert run(["dead-letters", "reseal"]) == 0
    assert capsys.readouterr().err == "resealed 0, were so already 1, not opened 0\n"
    assert redis.hgetall(PAYLOADS) == before


def test_a_run_that_was_stopped_is_gone_on_with_by_the_next(redis: Redis) -> None:
    for number in range(2 * STEP):
        put(kept(redis, OLD), str(number))
    renewing = kept(redis, f"{NEW},{OLD}")
    next(reseal(renewing))
    assert len(list(renewing.letters())) == 2 * STEP
    assert Counter(each.state for each in reseal(renewing)) == {"newest": STEP, "resealed": STEP}


def test_a_letter_of_an_unknown_key_is_named_and_stays_beside_those_that_are_sealed(
    here: Cluster, redis: Redis, capsys: Captured
) -> None:
    put(kept(redis, LOST), "lost", b"kept")
    put(kept(redis, OLD), "old")
    assert run(["dead-letters", "reseal"]) == FAILED
    assert capsys.readouterr().err.splitlines() == [
        "genesys-workers: default:lost: none of SEAL_KEY's keys opens it",
        "resealed 1, were so already 0, not opened 1",
    ]
    assert kept(redis, LOST).content("default:lost") == b"kept"


def test_without_a_key_there_is_nothing_to_seal_with(
    here: Cluster, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEAL_KEY")
    assert run(["dead-letters", "reseal"]) == MISUSED
    assert capsys.readouterr().err.startswith("genesys-workers: SEAL_KEY: is not set")


class Meddling(Redis):
    """Lets somebody else do something once, after payloads were read."""

    meddle: Callable[[], object] | None = None

    def hmget(self, name: Any, *args: Any) -> Any:
        found = super().hmget(name, *args)
        if name == PAYLOADS:
            meddle, self.meddle = self.meddle, None
            if meddle:
                meddle()
        return found


@pytest.fixture
def meddling(redis_url: str) -> Any:
    with Meddling.from_url(redis_url) as client:
        yield client


def test_a_letter_that_goes_meanwhile_does_not_come_back(redis: Redis, meddling: Meddling) -> None:
    put(kept(redis, OLD), "gone")
    put(kept(redis, OLD), "stays")
    meddling.meddle = lambda: redis.hdel(PAYLOADS, "default:gone")
    done = list(reseal(kept(meddling, f"{NEW},{OLD}")))
    assert done == [Resealed(id="default:stays", state="resealed")]
    assert redis.hkeys(PAYLOADS) == [b"default:stays"]


def test_a_letter_that_is_parked_again_meanwhile_is_sealed_as_it_is_then(
    redis: Redis, meddling: Meddling
) -> None:
    put(kept(redis, OLD), "again")
    meddling.meddle = lambda: put(kept(redis, OLD), "again")
    done = list(reseal(kept(meddling, f"{NEW},{OLD}")))
    assert done == [Resealed(id="default:again", state="resealed")]
    assert kept(redis, NEW).content("default:again") == b"{}"


def test_large_letters_are_read_a_few_at_a_time(redis: Redis) -> None:
    for number in range(5):
        put(kept(redis, OLD), str(number), b"x" * 1_500_000)
    redis.config_resetstat()
    assert len(list(reseal(kept(redis, f"{NEW},{OLD}")))) == 5
    calls: Any = redis.info("commandstats")
    # Three times payloads, after the facts of all at once.
    assert calls["cmdstat_hmget"]["calls"] == 4
