"""The simulated systems: what each answers, and where."""

from __future__ import annotations

from workers.sandbox import cxone, genesys

SYSTEMS = {"genesys": genesys.ROUTES, "cxone": cxone.ROUTES}
TOKEN_PATHS = {"genesys": ("/oauth/token", "/login/oauth2/token"), "cxone": ("/oauth/token",)}
