"""When an interaction is redacted, and when it is left alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tasks import sweep
from tasks.apis.capabilities import GUIDE, PLATFORM
from tasks.apis.genesys import Interaction, InteractionPage, Kept
from tasks.errors import Postponed, Rejected, Unconfirmed, Unsupported, WorkerError
from tasks.messages import RedactInteraction, parse
from tasks.operations import Operation, Outcome
from tasks.pii.rules import RedactionRules, TenantEntity
from tasks.redact import MAX_MESSAGES, OPERATION, redact_interaction
from tests.unit.tasks import fakes


@dataclass(kw_only=True)
class OneInteraction:
    """An interaction whose messages can be replaced; `deaf` accepts a write and forgets it.

    `unreadable` meets every reading after a write; `kept` is answered where messages stay as they
    are.
    """

    interaction: Interaction
    deaf: bool = False
    unreadable: WorkerError | None = None
    kept: Kept | None = None
    verbs: list[str] = field(default_factory=list)

    def completed_interactions(self, **_: object) -> InteractionPage:
        return InteractionPage(ids=[self.interaction.id], next_cursor=None)

    def read_interaction(self, interaction_id: str) -> Interaction:
        self.verbs.append("read")
        assert interaction_id == self.interaction.id
        if self.unreadable and "put" in self.verbs:
            raise self.unreadable
        return self.interaction

    def keep_redacted(
        self, interaction: Interaction, messages: Sequence[Mapping[str, object]]
    ) -> Kept:
        self.verbs.append("put")
        assert interaction == self.interaction
        if not self.deaf and not self.kept:
            self.interaction = replace(self.interaction, messages=messages)
        return self.kept or Kept(replaced=True)


def chat(*texts: str, state: str = "completed", deaf: bool = False) -> OneInteraction:
    messages = [{"id": str(at), "text": text} for at, text in enumerate(texts)]
    return OneInteraction(
        interaction=Interaction(id="i", state=state, messages=messages), deaf=deaf
    )


def redact(genesys: OneInteraction, *entities: str) -> Outcome:
    arguments = {"interaction_id": "i", **({"entities": list(entities)} if entities else {})}
    return redact_interaction(parse(RedactInteraction, arguments), genesys, RedactionRules())


def test_it_reads_again_before_the_write_and_after_it() -> None:
    genesys = chat("ann@example.com")
    outcome = redact(genesys)
    assert (outcome.status, outcome.detail["verified"]) == ("done", True)
    assert genesys.verbs == ["read", "read", "put", "read"]


@pytest.mark.parametrize(
    "error",
    [fakes.not_found(), fakes.outcome_unknown(), Postponed("the budget is spent", wait=5)],
    ids=lambda error: type(error).__name__,
)
def test_what_was_redacted_is_reported_even_where_it_cannot_be_read_back(
    error: WorkerError,
) -> None:
    genesys = chat("ann@example.com")
    genesys.unreadable = error
    outcome = redact(genesys)
    assert (outcome.status, outcome.detail["findings"]) == ("done", {"email": 1})
    assert outcome.detail["verified"] is False
    assert genesys.interaction.messages[0]["text"] == "[REDACTED]"


def test_the_outcome_says_what_was_done_where_stored_messages_stay() -> None:
    genesys = chat("ann@example.com")
    genesys.kept = Kept(replaced=False, steps={"stored_messages": "unchanged", "archived": "kept"})
    outcome = redact(genesys)
    assert (outcome.status, outcome.detail["stored_messages"]) == ("done", "unchanged")
    assert "verified" not in outcome.detail
    assert genesys.verbs == ["read", "read", "put"]


def test_nothing_is_written_where_nothing_is_found() -> None:
    genesys = chat("Hello")
    assert redact(genesys).status == "noop"
    assert genesys.verbs == ["read"]


@pytest.mark.parametrize("state", ["active", "live", ""])
def test_what_is_not_completed_waits(state: str) -> None:
    genesys = chat("ann@example.com", state=state)
    with pytest.raises(Postponed, match="the interaction is live"):
        redact(genesys)
    assert genesys.verbs == ["read"]


def test_a_write_that_does_not_show_is_tried_again() -> None:
    with pytest.raises(Unconfirmed, match="messages: reading back shows something else"):
        redact(chat("ann@example.com", deaf=True))


def test_a_transcript_beyond_the_limit_is_refused() -> None:
    with pytest.raises(Rejected, match="has 50,001 messages, at most 50,000"):
        redact(chat(*["a"] * (MAX_MESSAGES + 1)))


def test_only_the_entities_asked_for_are_redacted_and_counted() -> None:
    genesys = chat("ann@example.com", "+44 20 7946 0958")
    outcome = redact(genesys, "phone")
    assert genesys.interaction.messages[0]["text"] == "ann@example.com"
    assert outcome.detail["findings"] == {"phone": 1}


def test_no_personal_data_reaches_the_outcome() -> None:
    genesys = chat("ann@example.com")
    before = repr(genesys.interaction)
    assert "ann@" not in f"{redact(genesys)}{before}"


@pytest.mark.parametrize("entities", [[], ["E-Mail"], ["email", "email"]])
def test_bad_entities_are_refused(entities: list[str]) -> None:
    with pytest.raises(Rejected, match=r"^entities"):
        parse(RedactInteraction, {"interaction_id": "i", "entities": entities})


def test_what_it_writes_is_confirmed_in_every_place_of_text() -> None:
    genesys = chat("Hello")
    message = {"id": "1", "text": "Hello", "metadata": {"mail": "ann@example.com"}}
    genesys.interaction = replace(genesys.interaction, messages=[message])
    genesys.deaf = True
    with pytest.raises(Unconfirmed):
        redact(genesys)
    genesys.deaf = False
    assert redact(genesys).detail["verified"] is True
    assert genesys.interaction.messages[0] == {**message, "metadata": {"mail": "[REDACTED]"}}


def test_a_message_may_ask_for_an_entity_of_the_tenants_own() -> None:
    rules = RedactionRules(entity=(TenantEntity(name="member", pattern=r"M-\d{6}"),))
    message = RedactInteraction(interaction_id="i", entities=["member"])
    genesys = chat("it is M-123456, my mail is ann@example.com")
    assert redact_interaction(message, genesys, rules).detail["findings"] == {"member": 1}


def test_an_entity_that_the_tenant_does_not_know_is_rejected_before_any_call() -> None:
    genesys = chat("ann@example.com")
    with pytest.raises(Rejected, match=r"^entities: must be of credit_card, email, "):
        redact(genesys, "email", "member")
    assert genesys.verbs == []


@pytest.mark.parametrize("operation", [OPERATION, *sweep.OPERATIONS], ids=lambda each: each.task)
def test_nothing_is_read_where_nothing_would_come_of_it(operation: Operation[Any]) -> None:
    message = operation.message.model_construct()
    off = replace(PLATFORM, redaction_off="redaction: switch something on")
    with pytest.raises(Unsupported, match=r"^redaction: switch something on$"):
        operation.check(message, off)
    operation.check(message, PLATFORM)
    operation.check(message, GUIDE)
