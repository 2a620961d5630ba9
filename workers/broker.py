"""The broker's URL, and what it means to redis-py, to Kombu and to Celery's result backend.

    redis://[user[:password]@]host[:port][/database]
    rediss://…                                          the same by TLS
    sentinel://[user[:password]@]host[:port][,host[:port]…]/master[/database]
    sentinels://…                                       the same by TLS, Sentinels and servers

The hosts of `sentinel://` are the Sentinels; user and password are those of the Redis servers that
they watch, `master` is the name they watch them by. What is special in a URL is percent-encoded in
all parts. Options follow a `?`:

    ssl_ca_certs, ssl_certfile, ssl_keyfile     PEM files; without the first, the system's CAs
    ssl_cert_reqs=required|optional|none, ssl_check_hostname=true|false
    sentinel_username, sentinel_password        where the Sentinels want a login of their own

Other Celery clients write two Sentinels as `sentinel://host:26379/0;sentinel://other:26379/0`, with
`broker_transport_options={"master_name": "…"}`.

What a fail-over means: replication is asynchronous, so writes that the old master had acknowledged
and no replica had yet are lost, messages among them. A master that lives while another one is
promoted, by `SENTINEL FAILOVER` or behind a partition, takes writes from those connected to it
until it is demoted, some ten seconds later; they are lost, too. `min-replicas-to-write 1` on the
servers narrows that to about a second, to `min-replicas-max-lag` behind a partition.

Until Sentinel has promoted a replica (`down-after-milliseconds`, and a few seconds), nothing is
claimed and sending fails. Workers stay up, ask the Sentinels again and go on. What ran meanwhile is
settled afterwards; where its lease was lost with the old master, it runs again, and the ledger
keeps its effect single as far as the ledger's entry was replicated.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from tasks.errors import SettingsError

PLAIN, ENCRYPTED = ("redis", "sentinel"), ("rediss", "sentinels")
REDIS_PORT, SENTINEL_PORT = 6379, 26379

#: The oldest Redis that this project is tested with.
OLDEST = (6, 2)

#: Seconds; without them, a server that vanished without a word would be waited for without end.
TIMEOUTS: Mapping[str, Any] = {"socket_timeout": 10, "socket_connect_timeout": 3}

#: Seconds that a connection may rest before it is tried before its next use; Kombu's default, too.
HEALTH_SECONDS = 25

_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_CHECKS = {
    "required": ssl.CERT_REQUIRED,
    "optional": ssl.CERT_OPTIONAL,
    "none": ssl.CERT_NONE,
}
_LOGIN = ("sentinel_username", "sentinel_password")

Address = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Broker:
    """Where Redis is. `addresses` are the Sentinels' where there is a `master` by name.

    `encryption` holds redis-py's `ssl_…` options; None is no TLS.
    """

    addresses: tuple[Address, ...]
    master: str | None = None
    database: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    encryption: Mapping[str, Any] | None = None
    sentinel_login: Mapping[str, str] = field(default_factory=dict, repr=False)

    def connect(self) -> redis.Redis:
        """Return a client; it connects on first use, and checks the first server that it meets.

        That first use raises `SettingsError` where the server cannot carry this project: see
        `check`. Processes may fork it; threads may share it.
        """
        options = {
            **TIMEOUTS,
            **(self.encryption or {}),
            "health_check_interval": HEALTH_SECONDS,
            "redis_connect_func": _greeting(),
        }
        if self.master is None:
            return redis.Redis.from_url(self._urls()[0], **options)
        sentinels: Any = Sentinel(  # type: ignore[no-untyped-call]  # redis-py's own
            self.addresses,
            sentinel_kwargs=self._to_sentinels(),
            username=self.username,
            password=self.password,
            db=self.database,
            ssl=self.encryption is not None,
            **options,
        )
        client: redis.Redis = sentinels.master_for(self.master)
        return client

    def sending(self) -> dict[str, Any]:
        """Return Celery's configuration of the broker."""
        return {
            "broker_url": ";".join(self._urls()),
            "broker_transport_options": {**TIMEOUTS, **self._sentinel_options()},
            **({"broker_use_ssl": self.encryption} if self.encryption else {}),
        }

    def results(self) -> dict[str, Any]:
        """Return Celery's configuration of the result backend."""
        # It reads the password from the first one only, and masks no other one's.
        first, *others = self._urls()
        return {
            "result_backend": ";".join(
                (first, *(url.replace(self._login(), "") for url in others))
            ),
            "result_backend_transport_options": self._sentinel_options(),
            **({"redis_backend_use_ssl": self.encryption} if self.encryption else {}),
        }

    def __str__(self) -> str:
        """Say where it is, without any credentials."""
        places = ",".join(map(_written, self.addresses))
        return places if self.master is None else f"{self.master} of {places}"

    def _urls(self) -> list[str]:
        """Return a URL for each address, as Kombu and Celery write them."""
        scheme = "sentinel" if self.master else "rediss" if self.encryption else "redis"
        return [
            f"{scheme}://{self._login()}{_written(address)}/{self.database}"
            for address in self.addresses
        ]

    def _login(self) -> str:
        if not (self.username or self.password):
            return ""
        return f"{quote(self.username or '', '')}:{quote(self.password or '', '')}@"

    def _sentinel_options(self) -> dict[str, Any]:
        if self.master is None:
            return {}
        return {"master_name": self.master, "sentinel_kwargs": self._to_sentinels()}

    def _to_sentinels(self) -> dict[str, Any]:
        # The next Sentinel is asked at once where one is away.
        once = {"retry": Retry(NoBackoff(), 0)}
        encryption = {"ssl": True, **self.encryption} if self.encryption else {}
        return {**TIMEOUTS, **once, **encryption, **self.sentinel_login}


def parse(url: str) -> Broker:
    """Return what `url` means. Raises `ValueError` with the rule it breaks, and none of its text.

    The files it names have to exist.
    """
    scheme, _, rest = url.partition("://")
    if "://" not in url or scheme not in (*PLAIN, *ENCRYPTED):
        raise ValueError("must start with redis://, rediss://, sentinel:// or sentinels://")
    rest, _, query = rest.partition("?")
    location, _, path = rest.partition("/")
    login, _, hosts = location.rpartition("@")
    username, _, password = (unquote(part) or None for part in login.partition(":"))
    watched, encrypted = scheme.startswith("sentinel"), scheme in ("rediss", "sentinels")
    addresses = _addresses(hosts, watched=watched)
    options = _options(query, encrypted=encrypted, watched=watched)
    master, database = _path(path, watched=watched)
    return Broker(
        addresses=addresses,
        master=master,
        database=database,
        username=username,
        password=password,
        encryption=_encryption(options) if encrypted else None,
        sentinel_login={
            name.removeprefix("sentinel_"): options[name] for name in _LOGIN if name in options
        },
    )


def _path(path: str, *, watched: bool) -> tuple[str | None, int]:
    """Return the master's name and the database that the URL's path names."""
    master = None
    if watched:
        name, _, path = path.partition("/")
        master = unquote(name)
        if not master:
            raise ValueError("must name the master after the hosts: sentinel://host:26379/mymaster")
    database = path.rstrip("/") or "0"
    if not _is_number(database):
        raise ValueError("must end with the number of the database, such as /0")
    return master, int(database)


def _addresses(hosts: str, *, watched: bool) -> tuple[Address, ...]:
    if not watched and "," in hosts:
        raise ValueError("must name one host; several are Sentinels, by sentinel://")
    default = SENTINEL_PORT if watched else REDIS_PORT
    return tuple(_address(host, default) for host in hosts.split(","))


def _address(text: str, default: int) -> Address:
    host, _, port = text.rpartition("]") if text.startswith("[") else text.partition(":")
    port = port.removeprefix(":") or str(default)
    if not _is_number(port) or not 0 < int(port) < 65_536:
        raise ValueError("each port must be a number; in a password, / is written as %2F")
    return unquote(host.removeprefix("[")) or "localhost", int(port)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _written(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _options(query: str, *, encrypted: bool, watched: bool) -> dict[str, str]:
    tls = (*_FILES, "ssl_cert_reqs", "ssl_check_hostname") if encrypted else ()
    known = (*tls, *(_LOGIN if watched else ()))
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    found = {name: unquote(value) for name, _, value in pairs}
    if not found.keys() <= set(known):
        raise ValueError(
            f"takes only these options: {', '.join(known)}" if known else "takes no options"
        )
    return found


def _encryption(options: Mapping[str, str]) -> dict[str, Any]:
    """Return redis-py's options; the certificate is checked unless it says otherwise."""
    found: dict[str, Any] = {name: options[name] for name in _FILES if name in options}
    for name, path in found.items():
        if not Path(path).is_file():
            raise ValueError(f"{name} names no file")
    required = options.get("ssl_cert_reqs", "required")
    checked = options.get("ssl_check_hostname", "true").lower()
    if required not in _CHECKS:
        raise ValueError(f"ssl_cert_reqs must be one of {', '.join(_CHECKS)}")
    if checked not in ("true", "false"):
        raise ValueError("ssl_check_hostname must be true or false")
    return {
        **found,
        "ssl_cert_reqs": _CHECKS[required],
        "ssl_check_hostname": checked == "true",
    }


def check(client: redis.Redis) -> None:
    """Raise `SettingsError` with one line where the server cannot carry this project.

    That is a node of a Redis Cluster, a Sentinel, a Redis that is too old, and one whose
    certificate is not trusted. One that does not answer raises redis-py's own errors. What a server
    does not tell, as fakeredis or one whose ACL forbids `INFO`, is not held against it.
    """
    try:
        client.ping()
    except redis.ConnectionError as error:
        if refusal := untrusted(error):
            raise SettingsError(refusal) from None
        raise


def untrusted(error: BaseException) -> str | None:
    """Return a line about the certificate that was not trusted; None where it was not that."""
    # redis-py and Kombu wrap the TLS error, its text alone goes all the way.
    found = re.search(r"certificate verify failed: ([^()]+)", str(error))
    if not found:
        return None
    return (
        f"REDIS_URL: the server's certificate is not trusted ({found[1].strip()}):"
        " name its CA with ?ssl_ca_certs=, and the host as the certificate does"
    )


def _greeting() -> Callable[[Any], None]:
    """Return what redis-py calls with every connection that it opens: it looks at the first one."""
    looked = False

    def greet(connection: Any) -> None:
        nonlocal looked
        try:
            connection.on_connect()
        except redis.ResponseError:
            # A node of a cluster refuses to choose a database, without saying what it is.
            _look(connection)
            raise
        if not looked:
            _look(connection)
        looked = True

    return greet


def _look(connection: Any) -> None:
    try:
        connection.send_command("INFO", "server")
        told = connection.read_response()
    except redis.ResponseError:
        return
    text = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
    if problem := unfit(dict(re.findall(r"^(\w+):(.*?)\r?$", text, re.MULTILINE))):
        connection.disconnect()
        raise SettingsError(f"REDIS_URL: {problem}")


def unfit(about: Mapping[str, str]) -> str | None:
    """Return why a server cannot carry this project, by what `INFO server` tells; None if it can.

    https://redis.io/docs/latest/commands/info/
    """
    mode = about.get("redis_mode")
    if mode == "cluster":
        return (
            "this is a node of a Redis Cluster, which spreads over several servers what one script"
            " has to see at once: use a single Redis server, or Sentinels by sentinel://"
        )
    if mode == "sentinel":
        return "this is a Sentinel: use sentinel://host:26379/mymaster"
    version = about.get("redis_version", "")
    if (found := re.match(r"(\d+)\.(\d+)", version)) and tuple(map(int, found.groups())) < OLDEST:
        return f"this is Redis {version}: use {'.'.join(map(str, OLDEST))} or later"
    return None
