"""Asks an API what a client may do, by calls that can have no effect.

A call is refused for a missing permission (403) before anything else of it is looked at, or its
answer says that there is no such thing (404), or that nothing was asked for (400, 422). That an API
looks at permissions first is how the published one answers; another order would show a permission
as held that is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

from tasks.apis.calls import Call
from tasks.apis.http import Http
from tasks.errors import Forbidden, WorkerError
from workers.doctor.finding import Finding, bad, ok, warn

#: Answers that are no refusal of the client: what was named does not exist, or says nothing.
HELD = frozenset({400, 404, 405, 409, 412, 422, 428})


LATER = "run the doctor again in a while"


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What tasks (or a command) need of an API.

    `only` says when, of what is rarely needed; `untold` is what no call without effect can tell.
    """

    tasks: tuple[str, ...]
    probes: Sequence[Call]
    only: str = ""
    untold: str = ""


@dataclass(frozen=True, kw_only=True)
class Prober:
    """Asks each question once, however many errands have it."""

    http: Http
    remedy: str
    _answers: dict[tuple[str, str], str] = field(default_factory=dict)

    def look(self, errand: Errand) -> Iterator[Finding]:
        """Find what the client lacks for an errand."""
        try:
            missing = sorted({name for call in errand.probes if (name := self.missing(call))})
        except WorkerError as error:
            yield warn(f"could not be asked: {error}", LATER)
            return
        if missing:
            found = warn if errand.only else bad
            only = f", needed {errand.only}" if errand.only else ""
            yield found(f"missing: {', '.join(missing)}{only}", self.remedy)
        else:
            needed = dict.fromkeys(call.needs for call in errand.probes)
            yield ok(f"held: {', '.join(needed)}")
        if errand.untold:
            yield warn(f"cannot be asked: {errand.untold}", "look at the client's roles yourself")

    def missing(self, call: Call) -> str:
        """Return the permission that a call lacks, or an empty text."""
        place = call.method, call.route
        if place not in self._answers:
            self._answers[place] = self._asked(call)
        return self._answers[place]

    def _asked(self, call: Call) -> str:
        try:
            self.http.call(replace(call, allowed=HELD))
        except Forbidden as error:
            return error.missing
        return ""


def nowhere() -> str:
    """Return an id that nothing has."""
    return str(uuid4())
