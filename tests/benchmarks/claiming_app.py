"""This project's app with one task more, which does nothing."""

from __future__ import annotations

from tests.benchmarks import stamps
from workers.app import create_app
from workers.settings import Settings
from workers.tenants import load_tenants

settings = Settings.load()
app = create_app(settings, load_tenants(settings))
stamps.connect(settings.redis_url)


@app.task(name="noop", ignore_result=True, Request="workers.consuming.masking:MaskedRequest")
def noop() -> None:
    """Do nothing."""
