"""Settings: read once, validated, and refused with the variable's name and the rule."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tasks.errors import SettingsError
from workers.settings import Settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("REDIS_URL", "http://localhost", "REDIS_URL: must start with redis://"),
        ("QUEUE_RATES", "merge", "QUEUE_RATES: a rate is a number above 0 and a unit"),
        ("QUEUE_RATES", "merge=0/s", "QUEUE_RATES: a rate is a number above 0 and a unit"),
        ("QUEUE_RATES", "marge=1/s", "QUEUE_RATES: each rate names a queue"),
        ("SEAL_KEY", "a-secret-that-is-no-key", "SEAL_KEY: must be a Fernet key"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL: Input should be 'DEBUG'"),
        ("LEASE_SECONDS", "0.9", "LEASE_SECONDS: Input should be greater than or equal to 1"),
        ("TIMEOUTS__MERGE", "long", "TIMEOUTS__MERGE: Input should be a valid number"),
        ("REDIS_URL", "sentinel://host", "REDIS_URL: must name the master after the hosts"),
        ("REDIS_URL", "redis://localhost:abc/0", "REDIS_URL: each port must be a number"),
        ("RESULT_BACKEND", "foo://x", "RESULT_BACKEND: must start with redis://, rediss://"),
        ("ERROR_POLICY", "no JSON", "a variable or .env is neither UTF-8 nor JSON"),
        ("ERROR_POLICY__429__TRIES", "3", "ERROR_POLICY: 429 uses up no tries"),
        ("ERROR_POLICY__409__FIRST_WAIT", "inf", "ERROR_POLICY__409__FIRST_WAIT: Input should be"),
        ("TIMEOUTS__MERG", "5", "TIMEOUTS__MERG: Unexpected keyword argument"),
        ("LEASE_SECONDS", "inf", "LEASE_SECONDS: Input should be a finite number"),
        ("ERROR_POLICY__409__TRIES", "0", "ERROR_POLICY__409__TRIES: Input should be greater"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line_that_names_variable_and_rule(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, line: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refusal:
        Settings.load()
    assert str(refusal.value).startswith(line)
    assert "\n" not in str(refusal.value)
    assert "a-secret-that-is-no-key" not in str(refusal.value)


def test_an_env_file_counts_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=WARNING\nLOG_FORMAT=console\nOTHERS=ignored\n")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    settings = Settings.load()
    assert (settings.log_level, settings.log_format) == ("ERROR", "console")


def test_a_queue_has_its_own_rate_else_that_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_RATES", "merge=4/s, merge.acme=30/m")
    settings = Settings.load()
    rates = [settings.rate(queue) for queue in ("merge", "merge.acme", "merge.other", "sync.acme")]
    assert rates == [4.0, 0.5, 4.0, 5.0]


def test_no_secret_stands_in_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Fernet.generate_key().decode()
    monkeypatch.setenv("SEAL_KEY", key)
    monkeypatch.setenv("GENESYS_CLIENT_SECRET", "canary-secret")
    monkeypatch.setenv("REDIS_URL", "redis://:canary-secret@host/0")
    monkeypatch.setenv("RESULT_BACKEND", "redis://:canary-secret@host/1")
    shown = repr(Settings.load())
    assert key not in shown
    assert "canary-secret" not in shown
