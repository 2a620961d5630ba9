"""Whether the bridge's receiver listens where, and by what, secrets may be shown to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from tasks.errors import SettingsError
from workers.bridge.receiving import http_server
from workers.doctor.finding import Finding, bad, ok, warn
from workers.settings import Settings

#: Days before a certificate ends from which on that is told.
SOON = 30

DAY = 86_400

RENEW = "renew it, and start the bridges anew"


def reachable(settings: Settings, *, secrets: bool) -> Iterator[Finding]:
    """Find whether the receiver can listen, and whether it would be shown `secrets` in the open."""
    try:
        address = http_server.address(settings)
        encrypted = http_server.encryption(settings) is not None
    except SettingsError as error:
        yield bad(str(error), "correct it; the files have to be readable to the bridge's user")
        return
    where = settings.receiver_address
    if not secrets:
        yield ok(f"{where} takes no events: no tenant has a secret")
    elif encrypted or address.is_private:
        yield ok(f"{where}, {'by TLS' if encrypted else 'from this machine alone'}")
    else:
        yield bad(
            f"{where} is reached from other machines, without TLS: secrets go in the open",
            "set RECEIVER_TLS_CERT and RECEIVER_TLS_KEY, or listen on 127.0.0.1 behind a proxy that"
            " speaks TLS",
        )


def certified(path: Path, clock: Callable[[], float]) -> Iterator[Finding]:
    """Find how long the certificates in a file are valid, by `clock` in epoch seconds.

    They are such that the receiver can listen with them.
    """
    chain = x509.load_pem_x509_certificates(path.read_bytes())
    begins = max(each.not_valid_before_utc for each in chain)
    ends = min(each.not_valid_after_utc for each in chain)
    now = datetime.fromtimestamp(clock(), UTC)
    days = (ends - now).total_seconds() / DAY
    if now < begins:
        yield bad(f"the certificate is valid from {begins:%Y-%m-%d} on", RENEW)
    elif days < 0:
        yield bad(f"the certificate has ended on {ends:%Y-%m-%d}: no sender trusts it", RENEW)
    elif days < SOON:
        yield warn(f"the certificate ends on {ends:%Y-%m-%d}, in {days:.0f} days", RENEW)
    else:
        yield ok(f"the certificate is valid until {ends:%Y-%m-%d}")
