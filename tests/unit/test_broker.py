"""The broker's URL, and what it means to redis-py, Kombu and Celery."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu import Connection
from redis import SSLConnection

from workers.broker import TIMEOUTS, Broker, parse, unfit
from workers.watching.telemetry import mask

CHECKED = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("redis://", Broker(addresses=(("localhost", 6379),))),
        ("redis://h/3", Broker(addresses=(("h", 6379),), database=3)),
        (
            "redis://me:p%2F%40%3A%25@h:1",
            Broker(addresses=(("h", 1),), username="me", password="p/@:%"),
        ),
        ("redis://:s@[::1]:7/2", Broker(addresses=(("::1", 7),), database=2, password="s")),
        ("redis://[::1]", Broker(addresses=(("::1", 6379),))),
        ("rediss://h", Broker(addresses=(("h", 6379),), encryption=CHECKED)),
        (
            "rediss://h?ssl_cert_reqs=none&ssl_check_hostname=false",
            Broker(
                addresses=(("h", 6379),),
                encryption={"ssl_cert_reqs": ssl.CERT_NONE, "ssl_check_hostname": False},
            ),
        ),
        (
            "sentinel://a,b:1,[::1]:2/my%20master/4",
            Broker(addresses=(("a", 26379), ("b", 1), ("::1", 2)), master="my master", database=4),
        ),
        (
            "sentinels://u:p@a/m?sentinel_username=s&sentinel_password=x%26+y",
            Broker(
                addresses=(("a", 26379),),
                master="m",
                username="u",
                password="p",
                encryption=CHECKED,
                sentinel_login={"username": "s", "password": "x&+y"},
            ),
        ),
    ],
)
def test_a_url_means(url: str, meant: Broker) -> None:
    assert parse(url) == meant


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("", "must start with redis://, rediss://, sentinel:// or sentinels://"),
        ("redis:h", "must start with"),
        ("http://h", "must start with"),
        ("redis://a,b/0", "must name one host"),
        ("redis://h:0", "each port must be a number"),
        ("redis://h:65536", "each port must be a number"),
        ("redis://h:²", "each port must be a number"),
        ("redis://:Canary/7f3a@h:1/0", "each port must be a number; in a password, / is written"),
        ("redis://h/zero", "must end with the number of the database"),
        ("redis://h/-1", "must end with the number of the database"),
        ("sentinel://h", "must name the master after the hosts"),
        ("sentinel://h//0", "must name the master after the hosts"),
        ("sentinel://h/m/x", "must end with the number of the database"),
        ("redis://h?ssl_ca_certs=/ca", "takes no options"),
        ("redis://h/0?Canary7f3a", "takes no options"),
        ("rediss://h?Canary7f3a=1", "takes only these options: ssl_ca_certs,"),
        ("sentinel://h/m?ssl_ca_certs=/ca", "takes only these options: sentinel_username,"),
        ("rediss://h?ssl_ca_certs=/no/such/Canary7f3a", "ssl_ca_certs names no file"),
        ("rediss://h?ssl_cert_reqs=Canary7f3a", "ssl_cert_reqs must be one of required, optional"),
        ("rediss://h?ssl_check_hostname=maybe", "ssl_check_hostname must be true or false"),
    ],
)
def test_a_url_is_refused_by_a_rule_that_quotes_nothing(url: str, rule: str) -> None:
    with pytest.raises(ValueError, match="^" + rule) as refusal:
        parse(url)
    assert "Canary" not in str(refusal.value)
    assert "7f3a" not in str(refusal.value)


SENTINELS = "sentinel://me:p%2F@a:1,b:2/m/3?sentinel_password=own"


def test_kombu_finds_every_sentinel_the_login_and_the_master() -> None:
    sending = parse(SENTINELS).sending()
    assert sending["broker_url"] == "sentinel://me:p%2F@a:1/3;sentinel://me:p%2F@b:2/3"
    options = sending["broker_transport_options"]
    assert options["master_name"] == "m"
    assert options["sentinel_kwargs"]["password"] == "own"
    assert TIMEOUTS.items() <= options.items()
    connection = Connection(sending["broker_url"], transport_options=options)
    assert len(connection.alt) == 2
    for _ in connection.alt:
        login = (connection.userid, connection.password, connection.virtual_host)
        assert login == ("me", "p/", "3")
        connection.maybe_switch_next()


def test_celery_finds_every_sentinel_the_login_and_the_master_for_its_results() -> None:
    app = Celery(set_as_current=False)
    app.conf.update(parse(SENTINELS).results())
    backend: Any = app.backend
    hosts = [(each["host"], each["port"]) for each in backend.connparams["hosts"]]
    assert hosts == [("a", 1), ("b", 2)]
    login = {name: backend.connparams[name] for name in ("username", "password", "db")}
    assert login == {"username": "me", "password": "p/", "db": 3}
    assert backend.client.connection_pool.service_name == "m"


def test_redis_py_finds_every_sentinel_the_login_and_the_master() -> None:
    pool: Any = parse(SENTINELS).connect().connection_pool
    assert pool.service_name == "m"
    login = {name: pool.connection_kwargs[name] for name in ("username", "password", "db")}
    assert login == {"username": "me", "password": "p/", "db": 3}
    asked = [each.connection_pool.connection_kwargs for each in pool.sentinel_manager.sentinels]
    assert [(each["host"], each["port"]) for each in asked] == [("a", 1), ("b", 2)]
    assert {each["password"] for each in asked} == {"own"}


@pytest.mark.parametrize("url", ["rediss://h", "sentinels://h/m"])
def test_all_of_them_check_the_certificate(url: str) -> None:
    meant = parse(url)
    app = Celery(set_as_current=False)
    app.conf.update(meant.sending(), **meant.results())
    backend: Any = app.backend
    client: Any = meant.connect()
    told: tuple[Any, ...] = (
        app.connection_for_read().ssl,
        app.connection_for_write().ssl,
        backend.connparams,
        client.connection_pool.connection_kwargs,
    )
    for options in told:
        assert CHECKED.items() <= options.items()
    assert issubclass(backend.connparams["connection_class"], SSLConnection)
    assert issubclass(client.connection_pool.connection_class, SSLConnection)


@pytest.mark.parametrize("url", ["rediss://:Canary@h", "sentinel://:Canary@a,b/m"])
def test_no_password_is_shown(url: str) -> None:
    meant = parse(f"{url}?sentinel_password=Canary" if "sentinel" in url else url)
    app = Celery(set_as_current=False)
    app.conf.update(meant.sending(), **meant.results())
    shown = [
        repr(meant),
        str(meant),
        mask(meant.sending()["broker_url"]),
        app.connection_for_read().as_uri(),
        app.backend.as_uri(),
        app.conf.humanize(with_defaults=False),
    ]
    assert not [text for text in shown if "Canary" in text]


def test_a_place_is_told_without_its_login() -> None:
    assert str(parse(SENTINELS)) == "m of a:1,b:2"
    assert str(parse("redis://u:p@[::1]:7/2")) == "[::1]:7"


def test_a_file_that_exists_is_handed_on(tmp_path: Path) -> None:
    (tmp_path / "a ca.pem").touch()
    meant = parse(f"rediss://h?ssl_ca_certs={tmp_path}/a%20ca.pem")
    assert meant.encryption == {**CHECKED, "ssl_ca_certs": f"{tmp_path}/a ca.pem"}


@pytest.mark.parametrize(
    ("about", "problem"),
    [
        ({"redis_version": "6.2.14", "redis_mode": "standalone"}, None),
        ({"redis_version": "6.2.0"}, None),
        ({"redis_version": "10.0.1"}, None),
        ({"redis_version": "255.255.255"}, None),
        ({}, None),
        ({"redis_version": "unknown"}, None),
        ({"redis_version": "6.0.20"}, "this is Redis 6.0.20: use 6.2 or later"),
        ({"redis_version": "5.0.14"}, "this is Redis 5.0.14: use 6.2 or later"),
        ({"redis_version": "7.4.0", "redis_mode": "cluster"}, "this is a node of a Redis Cluster"),
        ({"redis_version": "7.4.0", "redis_mode": "sentinel"}, "this is a Sentinel"),
    ],
)
def test_a_server_is_judged_by_what_it_tells(about: dict[str, str], problem: str | None) -> None:
    found = unfit(about)
    assert found == problem if found is None or problem is None else found.startswith(problem)
