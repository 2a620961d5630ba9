"""The secrets that senders of events show, compared so that time and length tell nothing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping

from pydantic import SecretStr


class SharedSecrets:
    """One secret a tenant; only their digests are kept."""

    def __init__(self, by_tenant: Mapping[str, SecretStr]) -> None:
        self._digests = {
            tenant: _digest(secret.get_secret_value()) for tenant, secret in by_tenant.items()
        }
        # What nobody can show, for tenants that do not exist: they take as long as others.
        self._nobodys = _digest(secrets.token_hex())

    def admit(self, tenant: str, shown: str) -> bool:
        """Return whether `shown` is the tenant's secret; never for a tenant without one."""
        return hmac.compare_digest(_digest(shown), self._digests.get(tenant, self._nobodys))

    def know(self, shown: str) -> bool:
        """Return whether `shown` is any tenant's secret."""
        digest = _digest(shown)
        return sum(hmac.compare_digest(digest, each) for each in self._digests.values()) > 0


def _digest(secret: str) -> bytes:
    # What is no UTF-8 in a header comes as lone surrogates.
    return hashlib.sha256(secret.encode(errors="surrogateescape")).digest()
