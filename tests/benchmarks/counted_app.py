"""This project's app, whose workers show their metrics as those of `workers.app` do."""

from __future__ import annotations

from workers.app import create_app
from workers.metrics import of_worker
from workers.settings import Settings
from workers.tenants import load_tenants

settings = Settings.load()
app = create_app(settings, load_tenants(settings))
of_worker.connect(app)
