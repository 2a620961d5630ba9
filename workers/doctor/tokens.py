"""Whether a client gets a token, and whether its API takes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tasks.apis.calls import Call
from tasks.apis.http import Http
from tasks.errors import ApiError, Forbidden, OutcomeUnknown, Postponed, RateLimited
from tasks.errors import Unauthenticated as Refused
from workers.doctor.finding import Finding, bad, ok, warn
from workers.doctor.probe import HELD, LATER


def greeted(http: Http, hello: Call) -> Iterator[Finding]:
    """Find whether the API answers `hello`, which every client of its contract may ask."""
    yield from _asked(http, hello)


def taken(http: Http, question: Call) -> Iterator[Finding]:
    """Find whether the API takes the token; that it refuses the question is an answer, too."""
    yield from _asked(http, replace(question, allowed=HELD))


def _asked(http: Http, call: Call) -> Iterator[Finding]:
    try:
        http.call(call)
    except Forbidden:
        pass
    except (Postponed, RateLimited) as error:
        yield warn(f"not asked for: {error}", LATER)
        return
    except ApiError as error:
        yield bad(str(error), _remedy(error, http))
        return
    yield ok("obtained, and taken")


def _remedy(error: ApiError, http: Http) -> str:
    match error:
        case Refused(route=http.endpoint.token_route):
            return "copy id and secret (or key) of the client anew; it has to be of this region"
        case Refused():
            return "give a login_url and an api_url of one region: the API refuses that login"
        case OutcomeUnknown():
            return f"see the vendor's status page; {LATER}"
        case _:
            return "check `api`, and region or api_url: the contract's endpoints are not there"
