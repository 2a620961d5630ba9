"""Every verb of the seam by the `platform` contract, held against the vendor's Swagger document."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping

import pytest

from tasks.apis.calls import Call
from tasks.apis.deployments import Deployments
from tasks.apis.genesys import Genesys
from tasks.apis.masking_rules import MaskingRules
from tasks.errors import Forbidden, RateLimited, Unauthenticated, WorkerError
from tests.support.guide import NoLog
from tests.support.platform import checked
from tests.support.platform_verbs import NOW, VERBS, Place, Verb, at
from tests.support.swagger import swagger
from workers.sandbox.testing import ManualClock, SandboxHandle, running

#: Refusals, and what each is to every verb; None where that depends on the verb.
REFUSALS: Mapping[int, type[WorkerError] | None] = {
    400: None,
    401: Unauthenticated,
    403: Forbidden,
    404: None,
    408: None,
    409: None,
    413: None,
    415: None,
    422: None,
    429: RateLimited,
    500: None,
    503: None,
    504: None,
}

each_verb = pytest.mark.parametrize(
    "verb", [pytest.param(verb, id=name) for name, verb in VERBS if name != "read_consents"]
)


def test_every_verb_of_the_seam_is_here() -> None:
    seams = (Genesys, Deployments, MaskingRules)
    members = {name for seam in seams for name, _ in inspect.getmembers(seam, inspect.isfunction)}
    assert {name for name, _ in VERBS} == {each for each in members if not each.startswith("_")}


class Calls(NoLog):
    """Keeps the calls that were sent."""

    def __init__(self) -> None:
        self.sent: list[Call] = []

    def sending(self, call: Call, *, within: float) -> None:  # noqa: ARG002
        self.sent.append(call)


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock(now=NOW.timestamp())


@pytest.fixture(scope="module")
def running_sandbox(clock: ManualClock) -> Iterator[SandboxHandle]:
    with running(clock=clock, requests_per_minute=100_000) as handle:
        yield handle


@pytest.fixture
def sandbox(running_sandbox: SandboxHandle) -> SandboxHandle:
    running_sandbox.clear_faults()
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def place(sandbox: SandboxHandle, clock: ManualClock, calls: Calls) -> Place:
    return at(sandbox, clock, calls)


@each_verb
def test_what_a_verb_asks_for_is_allowed_by_the_document_and_by_the_permissions_it_names(
    place: Place, calls: Calls, verb: Verb
) -> None:
    act, document = verb(place), swagger()
    calls.sent.clear()
    with checked(place.genesys.http):
        act()
    assert calls.sent
    for call in calls.sent:
        operation = document.find(call.method, call.path)
        assert operation, call
        kind, permissions = operation.permissions()
        named = {each for each in permissions if each in call.needs}
        assert named == permissions or (kind == "ANY" and named), call


@each_verb
def test_whatever_a_verb_is_refused_with_is_told_as_an_error_of_ours(
    place: Place, verb: Verb
) -> None:
    act = verb(place)
    told = {}
    for status in REFUSALS:
        place.sandbox.fault(kind="status", system="platform", status=status, times=None)
        told[status] = _error_of(act)
        place.sandbox.clear_faults()
    final = {status: kind for status, kind in REFUSALS.items() if kind}
    assert {status: told[status] for status in final} == final
    act()


def _error_of(act: Callable[[], object]) -> type[WorkerError] | None:
    try:
        act()
    except WorkerError as error:
        return type(error)
    return None
