"""A process whose threads append audit records as fast as they can."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from workers.auditing.audit import Audit
from workers.store import Store

THREADS = 8


def append(url: str, name: str, count: int) -> None:
    """Append `count` records to the chain of the tenant `acme`, by several threads at once."""
    audit = Audit(store=Store.connect(url))
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda n: audit.write("acme", {"by": name, "n": n}), range(count)))


if __name__ == "__main__":
    append(sys.argv[1], sys.argv[2], int(sys.argv[3]))
