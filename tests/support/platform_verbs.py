"""The verbs of the Genesys seams by the `platform` contract, each ready to be called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tasks.apis.calls import Call, CallLog
from tasks.apis.deployments import Release
from tasks.apis.genesys_platform.genesys import GenesysPlatform
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.apis.masking_rules import MaskingRule
from tasks.errors import Postponed
from tests.support.platform import connect
from workers.sandbox.testing import ManualClock, SandboxHandle

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)
SETTINGS = PlatformSettings(delete_recordings=True, gdpr_requests=True)


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


def made_rule(place: Place, definition: str) -> MaskingRule:
    place.genesys.create_masking_rule(replace(RULE, definition=definition))
    return next(e for e in place.genesys.masking_rules() if e.definition == definition)


def change_masking_rule(place: Place) -> Callable[[], object]:
    rule = made_rule(place, "[0-9]{7}")
    return lambda: place.genesys.change_masking_rule(replace(rule, enabled=False))


def delete_masking_rule(place: Place) -> Callable[[], object]:
    rule_id = made_rule(place, "[0-9]{8}").id
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


def at(sandbox: SandboxHandle, clock: ManualClock, log: CallLog) -> Place:
    """Return the contract towards a sandbox; it has a token, and `log` is told of further calls."""
    http = connect(sandbox, clock)
    http.call(Call(method="GET", route="/api/v2/tokens/me", needs="nothing"))
    genesys = GenesysPlatform(http=replace(http, log=log), settings=SETTINGS)
    return Place(genesys=genesys, sandbox=sandbox, clock=clock)
