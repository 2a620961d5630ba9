"""What commands that look into a running system need."""

from __future__ import annotations

from collections.abc import Callable

from workers.app import Services, create_app
from workers.settings import Settings
from workers.tenants import load_tenants
from workers.watching.tracing import Tracer, untraced


def services(tracing: Callable[[], Tracer] = untraced) -> Services:
    """Return the services that the environment describes; raise `SettingsError` if it is wrong."""
    settings = Settings.load()
    return create_app(settings, load_tenants(settings), tracing).services
