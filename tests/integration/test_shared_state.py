"""Tokens, locks, newest moments and sealed dead letters on a real Redis."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from redis import Redis

from tasks.apis.tokens import Token
from tasks.errors import Postponed, SettingsError
from tests.support.letters import park
from workers.letters.dead_letters import DeadLetter, DeadLetters
from workers.letters.sealing import Seal
from workers.outside.tokens import SharedTokens
from workers.remembering.locks import Locks
from workers.remembering.newest import NewestInRedis
from workers.store import Store

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
KEY = Fernet.generate_key().decode()


@pytest.fixture
def store(redis: Redis) -> Store:
    return Store(redis=redis)


class Endpoint:
    """A token endpoint that numbers the tokens it gives out."""

    def __init__(self, life: float = 3600.0, delay: float = 0.0) -> None:
        self.life = life
        self.delay = delay
        self.given = 0

    def __call__(self) -> Token:
        time.sleep(self.delay)
        self.given += 1
        return Token(value=f"token-{self.given}", expires_in=self.life)


def test_a_token_is_fetched_once_for_all_who_want_it_at_once(store: Store) -> None:
    tokens = SharedTokens(store=store, seal=Seal())
    endpoint = Endpoint(delay=0.1)
    with ThreadPoolExecutor(16) as pool:
        got = set(pool.map(lambda _: tokens.obtain("client", endpoint), range(32)))
    assert got == {"token-1"}
    assert endpoint.given == 1


def test_a_refused_token_is_renewed_once_for_all_who_were_refused(store: Store) -> None:
    tokens = SharedTokens(store=store, seal=Seal())
    endpoint = Endpoint(delay=0.05)
    refused = tokens.obtain("client", endpoint)
    with ThreadPoolExecutor(8) as pool:
        renewed = pool.map(lambda _: tokens.obtain("client", endpoint, refused=refused), range(8))
        assert set(renewed) == {"token-2"}
    assert endpoint.given == 2


@pytest.mark.parametrize(("life", "used"), [(3600.0, 3540.0), (86_400.0, 86_340.0), (60.0, 30.0)])
def test_a_token_is_used_until_a_minute_before_its_end(
    store: Store, redis: Redis, life: float, used: float
) -> None:
    SharedTokens(store=store, seal=Seal()).obtain("client", Endpoint(life))
    assert used - 20 < int(redis.pttl("gw:token:client")) / 1000 <= used


def test_a_fetch_that_fails_lets_the_next_one_try_at_once(store: Store) -> None:
    tokens = SharedTokens(store=store, seal=Seal())

    def failing() -> Token:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        tokens.obtain("client", failing)
    assert tokens.obtain("client", Endpoint()) == "token-1"


def test_whoever_waits_too_long_for_a_renewal_elsewhere_comes_back_later(store: Store) -> None:
    assert store.redis.lock("gw:renewal:client", timeout=30).acquire()
    with pytest.raises(Postponed, match="the token of client is being renewed"):
        SharedTokens(store=store, seal=Seal(), patience=0.1).obtain("client", Endpoint())


def test_a_token_is_sealed_in_redis(store: Store, redis: Redis) -> None:
    SharedTokens(store=store, seal=Seal(key=KEY)).obtain("client", Endpoint())
    assert b"token-1" not in (redis.get("gw:token:client") or b"")
    assert SharedTokens(store=store, seal=Seal(key=KEY)).obtain("client", Endpoint()) == "token-1"


def test_a_token_sealed_with_another_key_is_fetched_anew(store: Store) -> None:
    SharedTokens(store=store, seal=Seal(key=KEY)).obtain("client", Endpoint())
    other = SharedTokens(store=store, seal=Seal(key=Fernet.generate_key().decode()))
    assert other.obtain("client", Endpoint()) == "token-1"


def test_a_busy_lock_is_not_waited_for_and_gives_back_what_was_taken(store: Store) -> None:
    locks = Locks(store=store, lease=30)
    with locks.held("default", ["profile:b"]):
        busy = locks.held("default", ["profile:a", "profile:b"])
        with pytest.raises(Postponed, match="profile is in use"), busy:
            raise AssertionError("never entered")
        with locks.held("default", ["profile:a"]), locks.held("acme", ["profile:b"]):
            pass
    with locks.held("default", ["profile:a", "profile:b", "profile:a"]):
        pass


def test_a_lock_is_given_back_when_the_work_fails(store: Store) -> None:
    locks = Locks(store=store, lease=30)
    with pytest.raises(ZeroDivisionError), locks.held("default", ["profile:a"]):
        _ = 1 / 0
    with locks.held("default", ["profile:a"]):
        pass


def test_only_what_is_older_than_the_newest_value_of_a_key_is_outdated(store: Store) -> None:
    newest = NewestInRedis(store=store, tenant="default", first_at=NOON.timestamp(), keep=3600)
    newest.written("participant:p", {"a", "b"}, None)
    second = timedelta(seconds=1)
    assert newest.outdated("participant:p", ["a", "b", "c"], NOON - second) == {"a", "b"}
    assert newest.outdated("participant:p", ["a"], NOON) == frozenset()
    assert newest.outdated("participant:p", ["a"], NOON + second) == frozenset()
    assert newest.outdated("participant:q", ["a"], NOON - second) == frozenset()


def letter(name: str, at: float) -> DeadLetter:
    return DeadLetter(
        id=name,
        task="merge_profiles",
        queue="merge",
        tenant="default",
        status="rejected",
        reason="field: rule",
        attempts=1,
        at=at,
    )


def test_dead_letters_are_kept_sealed_and_listed_by_age(store: Store, redis: Redis) -> None:
    letters = DeadLetters(store=store, seal=Seal(key=KEY))
    park(letters, letter("b", 2), b'{"attributes": {"name": "canary"}}')
    park(letters, letter("a", 1), b"not JSON")
    assert [each.id for each in letters.letters()] == ["a", "b"]
    assert letters.count() == 2
    assert letters.payload("b") == {"attributes": {"name": "canary"}}
    assert letters.payload("a") is None
    assert letters.payload("unknown") is None
    assert "canary" not in str(redis.hvals("gw:dead-letters:payloads"))


def test_a_message_that_is_parked_twice_is_one_letter(store: Store) -> None:
    letters = DeadLetters(store=store, seal=Seal())
    park(letters, letter("a", 1), b"{}")
    park(letters, letter("a", 2), b"{}")
    assert [each.at for each in letters.letters()] == [2]


def test_a_sealed_letter_asks_for_the_key_it_was_sealed_with(store: Store) -> None:
    park(DeadLetters(store=store, seal=Seal(key=KEY)), letter("a", 1), b"{}")
    with pytest.raises(SettingsError, match="SEAL_KEY: is not the key"):
        DeadLetters(store=store, seal=Seal()).payload("a")
