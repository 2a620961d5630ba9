"""`python -m workers.cli` is `genesys-workers`."""

from __future__ import annotations

from workers.cli.main import main

main()
