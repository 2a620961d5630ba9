"""Where commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import sys

from rich.console import Console

out = Console()
err = Console(stderr=True)


def complain(line: str) -> None:
    """Say one line on standard error, as it is: no markup, no wrapping."""
    print(f"genesys-workers: {line}", file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """Return `text` without what a terminal would obey: strangers may have named what is shown."""
    return text if text.isprintable() else ascii(text)
