"""Keys are replaced without a moment in which something cannot be opened."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tasks.errors import SettingsError
from workers.letters.sealing import Seal
from workers.settings import Settings

OLD, NEW, OTHER = (letter * 42 + "A=" for letter in "-oY")


def seal(*keys: str) -> Seal:
    return Seal(key=",".join(keys) or None)


#: How SEAL_KEY goes from one key to another: each host may still be a step behind.
STEPS: Sequence[Sequence[str]] = ([OLD], [OLD, NEW], [NEW, OLD])


@pytest.mark.parametrize("step", range(1, len(STEPS)))
@pytest.mark.parametrize("behind", [0, 1], ids=["sealed a step ahead", "sealed a step behind"])
def test_hosts_that_are_a_step_apart_open_what_each_other_sealed(step: int, behind: int) -> None:
    hosts = [seal(*STEPS[step]), seal(*STEPS[step - 1])]
    assert hosts[1 - behind].open(hosts[behind].seal(b"canary")) == b"canary"


def test_the_first_key_seals() -> None:
    sealed = seal(NEW, OLD).seal(b"canary")
    assert seal(NEW).open(sealed) == b"canary"
    with pytest.raises(SettingsError):
        seal(OLD).open(sealed)


@pytest.mark.parametrize("keys", [(), (OTHER,), (OTHER, NEW)])
def test_what_none_of_the_keys_has_sealed_is_not_opened(keys: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match="SEAL_KEY: is not the key this was sealed with"):
        seal(*keys).open(seal(OLD).seal(b"canary"))


@pytest.mark.parametrize(
    ("by", "now", "newest"),
    [
        ((), (), True),
        ((), (NEW,), False),
        ((OLD,), (), False),
        ((OLD,), (OLD,), True),
        ((OLD,), (OLD, NEW), True),
        ((OLD,), (NEW, OLD), False),
        ((OLD,), (NEW,), False),
    ],
)
def test_what_was_not_sealed_as_it_would_be_now_is_told(
    by: tuple[str, ...], now: tuple[str, ...], newest: bool
) -> None:
    assert seal(*now).is_newest(seal(*by).seal(b"canary")) is newest


def test_what_stood_there_unsealed_is_read_with_any_key() -> None:
    assert seal(NEW, OLD).open(Seal().seal(b"canary")) == b"canary"


def test_keys_stand_in_no_repr() -> None:
    assert OLD not in repr(seal(NEW, OLD))


def test_a_setting_lists_keys_with_or_without_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAL_KEY", f" {NEW} , {OLD}")
    key = Settings.load().seal_key
    assert key is not None
    assert Seal(key=key.get_secret_value()).secrets == (NEW.encode(), OLD.encode())


@pytest.mark.parametrize("value", ["", ",", f"{OLD},", f"{OLD},short", f"{OLD};{NEW}", OLD * 2])
def test_a_setting_with_anything_else_than_keys_is_refused_without_its_value(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("SEAL_KEY", value)
    with pytest.raises(SettingsError, match="SEAL_KEY: must be a Fernet key") as refusal:
        Settings.load()
    assert OLD not in str(refusal.value)
