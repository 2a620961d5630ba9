"""This project's app, whose workers trace as those of `workers.app` do."""

from __future__ import annotations

from workers.app import create_app
from workers.settings import Settings
from workers.tenants import load_tenants
from workers.watching import tracing

settings = Settings.load()
app = create_app(settings, load_tenants(settings), tracing.chosen)
tracing.connect(app)
