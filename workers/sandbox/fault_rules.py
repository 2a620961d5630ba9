"""Which faults make sense: one that can never hit is a mistake of the test that sets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workers.sandbox import documents
from workers.sandbox.call import Route
from workers.sandbox.errors import bad_request
from workers.sandbox.faults import Fault, ForeignWrite
from workers.sandbox.systems import SYSTEMS


@dataclass(frozen=True, kw_only=True)
class _Target:
    """One operation that requests can be for; a token request has no route."""

    system: str
    method: str
    template: str
    route: Route | None = None

    def fits(self, fault: Fault) -> bool:
        wanted = (fault.system, fault.method, fault.route)
        found = (self.system, self.method, self.template)
        pairs = zip(wanted, found, strict=True)
        return all(asked in (None, held) for asked, held in pairs) and self._has(fault.path)

    def _has(self, path: str | None) -> bool:
        pattern = re.sub(r"\\{\w+\\}", ".+", re.escape(self.template))
        return path is None or re.fullmatch(pattern, path) is not None


def check(fault: Fault) -> None:
    """Raise Refused (400) for a fault that hits nothing, or would break what it hits."""
    targets = [target for target in _targets() if target.fits(fault)]
    if not targets:
        raise bad_request("system, method, route, path: no operation agrees with all of them")
    if isinstance(fault, ForeignWrite):
        _check_changes(fault, targets)


def _check_changes(fault: ForeignWrite, targets: list[_Target]) -> None:
    kinds = {target.route.writes for target in targets if target.route and target.route.foreign}
    if not kinds:
        raise bad_request("kind: nobody else writes what such a request is about")
    for kind in sorted(kinds):
        documents.check_changes(kind, fault.changes)


def _targets() -> Iterator[_Target]:
    for name, system in SYSTEMS.items():
        for path in system.token_paths:
            yield _Target(system=name, method="POST", template=path)
        for path in system.public:
            yield _Target(system=name, method="GET", template=path)
        for route in system.routes:
            yield _Target(system=name, method=route.method, template=route.path, route=route)
