"""This project's app, whose workers count nothing and show nothing."""

from __future__ import annotations

from typing import Any

from workers.app import create_app
from workers.metrics.counts import Counts
from workers.settings import Settings
from workers.tenants import load_tenants


class NoCounts(Counts):
    """Counts nothing."""

    def ended(self, *_: Any) -> None:
        return

    def took(self, *_: Any) -> None:
        return

    def called(self, *_: Any) -> None:
        return

    def found(self, *_: Any) -> None:
        return


settings = Settings.load()
app = create_app(settings, load_tenants(settings))
vars(app.services)["counts"] = NoCounts()
