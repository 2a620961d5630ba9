"""Every verb of the seam by the `platform` contract, held against the vendor's Swagger document."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.apis.calls import Call
from tasks.apis.deployments import Deployments, Release
from tasks.apis.genesys import Genesys
from tasks.apis.genesys_platform.genesys import GenesysPlatform
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.apis.masking_rules import MaskingRule, MaskingRules
from tasks.errors import Forbidden, Postponed, RateLimited, Unauthenticated, WorkerError
from tests.support.guide import NoLog
from tests.support.platform import checked, connect
from tests.support.swagger import swagger
from workers.sandbox.testing import ManualClock, SandboxHandle, running

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)
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
SETTINGS = PlatformSettings(delete_recordings=True, gdpr_requests=True)


class Calls(NoLog):
    """Keeps the calls that were sent."""

    def __init__(self) -> None:
        self.sent: list[Call] = []

    def sending(self, call: Call, *, within: float) -> None:  # noqa: ARG002
        self.sent.append(call)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The contract, and the sandbox that it talks to."""

    genesys: GenesysPlatform
    sandbox: SandboxHandle
    clock: ManualClock

    def wait(self) -> None:
        self.clock.advance(1)

    @property
    def contacts(self) -> list[str]:
        """Two contacts that have not been merged."""
        return self.sandbox.ids("externalContacts", type="Curated")[:2]

    @property
    def party(self) -> tuple[str, str]:
        """A conversation and somebody in it."""
        conversation_id = self.sandbox.ids("platformConversations")[0]
        held = self.sandbox.get("platformConversations", conversation_id)
        return conversation_id, held["participants"][0]["id"]

    @property
    def chat(self) -> str:
        """A conversation that has ended, with messages and a recording."""
        held = self.sandbox.get("recordings", self.sandbox.ids("recordings")[0])
        conversation_id: str = held["conversationId"]
        return conversation_id

    @property
    def configuration(self) -> str:
        return self.sandbox.ids("webConfigurations")[0]

    @property
    def deployment(self) -> str:
        return self.sandbox.ids("webDeployments")[0]


#: Makes ready what a verb needs, and returns the verb's call.
Verb = Callable[[Place], Callable[[], object]]


def read_profile(place: Place) -> Callable[[], object]:
    merged = place.sandbox.ids("externalContacts", type="Ephemeral")
    return lambda: [place.genesys.read_profile(each) for each in merged[:3] + merged[-3:]]


def merge(place: Place) -> Callable[[], object]:
    target, source = place.contacts
    return lambda: place.genesys.merge(target, [source], "source_wins")


def read_contact(place: Place) -> Callable[[], object]:
    contact_id = place.contacts[0]
    return lambda: place.genesys.read_contact(contact_id)


def set_attributes(place: Place) -> Callable[[], object]:
    party = place.party
    return lambda: place.genesys.set_attributes(*party, {"tier": "gold"})


def search_by_query(place: Place) -> Callable[[], object]:
    began = datetime.fromisoformat(
        place.sandbox.get("platformConversations", place.chat)["startTime"]
    )
    return lambda: search(place, began - DAY, began + DAY)


def search_by_job(place: Place) -> Callable[[], object]:
    return lambda: search(place, None, NOW)


def search(place: Place, since: datetime | None, until: datetime) -> None:
    cursor: str | None = None
    for _ in range(20):
        try:
            page = place.genesys.completed_interactions(
                since=since, until=until, page_size=50, cursor=cursor
            )
        except Postponed:
            place.wait()
        else:
            cursor = page.next_cursor
            if cursor is None:
                return
    raise AssertionError("the search does not end")


def keep_redacted(place: Place) -> Callable[[], object]:
    interaction = place.genesys.read_interaction(place.chat)
    return lambda: place.genesys.keep_redacted(interaction, interaction.messages)


def put_draft(place: Place) -> Callable[[], object]:
    draft = place.genesys.read_draft(place.configuration)
    assert draft is not None
    return lambda: place.genesys.put_draft(place.configuration, draft.document)


def put_deployment(place: Place) -> Callable[[], object]:
    deployment = place.genesys.read_deployment(place.deployment)
    release = Release(configuration_id=deployment.release.configuration_id, version="1")
    return lambda: place.genesys.put_deployment(deployment, release)


def ask_for_changes(place: Place) -> Callable[[], object]:
    return lambda: place.genesys.ask_for_changes(NOW - DAY, NOW + DAY, [place.configuration])


def changes(place: Place) -> Callable[[], object]:
    put_draft(place)()
    query_id = place.genesys.ask_for_changes(NOW - DAY, NOW + DAY, [place.configuration])
    place.wait()
    return lambda: list(place.genesys.changes(query_id) or ())


RULE = MaskingRule(name="Orders", definition="[0-9]{6}", description="Order numbers")


def made_rule(place: Place) -> MaskingRule:
    place.genesys.create_masking_rule(RULE)
    return next(each for each in place.genesys.masking_rules() if each.name == RULE.name)


def change_masking_rule(place: Place) -> Callable[[], object]:
    rule = made_rule(place)
    return lambda: place.genesys.change_masking_rule(replace(rule, enabled=False))


def delete_masking_rule(place: Place) -> Callable[[], object]:
    rule_id = made_rule(place).id
    return lambda: place.genesys.delete_masking_rule(rule_id)


VERBS: tuple[tuple[str, Verb], ...] = (
    ("read_profile", read_profile),
    ("read_consents", lambda place: lambda: place.genesys.read_consents("anybody")),
    ("merge", merge),
    ("participants", lambda place: lambda: list(place.genesys.participants(place.party[0]))),
    ("read_participant", lambda place: lambda: place.genesys.read_participant(*place.party)),
    ("set_attributes", set_attributes),
    ("read_contact", read_contact),
    ("completed_interactions", search_by_query),
    ("completed_interactions", search_by_job),
    ("read_interaction", lambda place: lambda: place.genesys.read_interaction(place.chat)),
    ("keep_redacted", keep_redacted),
    ("read_draft", lambda place: lambda: place.genesys.read_draft(place.configuration)),
    ("read_published", lambda place: lambda: place.genesys.read_published(place.configuration)),
    ("put_draft", put_draft),
    ("publish_draft", lambda place: lambda: place.genesys.publish_draft(place.configuration)),
    ("read_deployment", lambda place: lambda: place.genesys.read_deployment(place.deployment)),
    ("put_deployment", put_deployment),
    ("live_release", lambda place: lambda: place.genesys.live_release(place.deployment)),
    ("ask_for_changes", ask_for_changes),
    ("changes", changes),
    ("masking_rules", lambda place: place.genesys.masking_rules),
    ("try_definition", lambda place: lambda: place.genesys.try_definition("[0-9]{6}", "123456")),
    ("create_masking_rule", lambda place: lambda: place.genesys.create_masking_rule(RULE)),
    ("change_masking_rule", change_masking_rule),
    ("delete_masking_rule", delete_masking_rule),
)

each_verb = pytest.mark.parametrize(
    "verb", [pytest.param(verb, id=name) for name, verb in VERBS if name != "read_consents"]
)


def test_every_verb_of_the_seam_is_here() -> None:
    seams = (Genesys, Deployments, MaskingRules)
    members = {name for seam in seams for name, _ in inspect.getmembers(seam, inspect.isfunction)}
    assert {name for name, _ in VERBS} == {each for each in members if not each.startswith("_")}


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
    http = connect(sandbox, clock)
    # Has its token before any request is refused.
    http.call(Call(method="GET", route="/api/v2/tokens/me", needs="nothing"))
    genesys = GenesysPlatform(http=replace(http, log=calls), settings=SETTINGS)
    return Place(genesys=genesys, sandbox=sandbox, clock=clock)


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
