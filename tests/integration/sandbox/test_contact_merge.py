"""The merge of external contacts: a new record, the old ones' ways to it, and its limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from workers.sandbox.testing import ManualClock, SandboxHandle

Ask = Callable[..., requests.Response]
CONTACTS = "/api/v2/externalcontacts/contacts"


@pytest.fixture
def merge(platform: Ask) -> Ask:
    """`merge(*ids, **valueOverride)` asks for a merge and gives the response."""

    def merge(*contact_ids: str, **override: Any) -> requests.Response:
        body = {
            "contactIds": list(contact_ids),
            **({"valueOverride": override} if override else {}),
        }
        return platform("POST", f"{CONTACTS}/merge", json=body)

    return merge


@pytest.fixture
def put(sandbox: SandboxHandle, clock: ManualClock) -> Callable[..., None]:
    """`put(id, **fields)` adds a contact that was modified later than those before it."""

    def put(contact_id: str, **fields: Any) -> None:
        clock.advance(1)
        sandbox.put("externalContacts", contact_id, fields)

    return put


def test_a_merge_makes_a_new_contact_to_which_the_old_ones_lead(
    sandbox: SandboxHandle, platform: Ask, merge: Ask, put: Callable[..., None]
) -> None:
    put("a", type="Ephemeral")
    put("b", type="Identified")
    merged = merge("a", "b").json()
    everyone = ["a", "b", merged["id"]]
    assert merged["id"] not in ("a", "b")
    assert merged["type"] == "Identified"
    assert [each["id"] for each in merged["mergedFrom"]] == ["a", "b"]
    assert [each["id"] for each in merged["mergeSet"]] == everyone
    assert merged["canonicalContact"]["id"] == merged["id"]
    assert {name: each["id"] for name, each in merged["mergeOperation"].items()} == {
        "sourceContact": "a",
        "targetContact": "b",
        "resultingContact": merged["id"],
    }
    for source in ("a", "b"):
        assert platform("GET", f"{CONTACTS}/{source}").json() == merged
        itself = platform("GET", f"{CONTACTS}/{source}/unresolved").json()
        assert (itself["id"], itself["mergedTo"]["id"]) == (source, merged["id"])
        assert itself["mergeSet"] == merged["mergeSet"]
    (effect,) = sandbox.effects(kind="contacts.merged")
    assert (effect["subject"], effect["detail"]["contacts"]) == (merged["id"], ["a", "b"])
    assert merged["id"] in sandbox.ids("customers")


def test_an_outcome_can_be_merged_further_and_all_follow(
    platform: Ask, merge: Ask, put: Callable[..., None]
) -> None:
    for contact_id in ("a", "b", "c"):
        put(contact_id)
    first = merge("a", "b").json()["id"]
    second = merge(first, "c").json()
    assert [each["id"] for each in second["mergeSet"]] == ["a", "b", first, "c", second["id"]]
    for member in ("a", "b", first, "c"):
        assert platform("GET", f"{CONTACTS}/{member}").json()["id"] == second["id"]
    itself = platform("GET", f"{CONTACTS}/a/unresolved").json()
    assert itself["mergedTo"]["id"] == first
    assert itself["canonicalContact"]["id"] == second["id"]


def test_the_newest_contact_wins_and_gaps_are_filled_from_the_others(
    merge: Ask, put: Callable[..., None]
) -> None:
    put("old", firstName="Ada", title="Dr", customFields={"city_text": "Graz", "tier_enum": "gold"})
    put("new", firstName="Bea", customFields={"city_text": "Lyon"})
    merged = merge("new", "old").json()
    assert (merged["firstName"], merged["title"]) == ("Bea", "Dr")
    assert merged["customFields"] == {"city_text": "Lyon", "tier_enum": "gold"}


def test_clashing_phones_and_addresses_move_to_free_fields_until_none_is_left(
    merge: Ask, put: Callable[..., None]
) -> None:
    def phones(*numbers: int) -> dict[str, dict[str, str]]:
        names = ("workPhone", "cellPhone")
        pairs = zip(names, numbers, strict=False)
        return {name: {"display": str(n), "e164": f"+1555000000{n}"} for name, n in pairs}

    put("a", **phones(1, 2), personalEmail="a@example.com")
    put("b", **phones(3, 2), personalEmail="c@example.com")
    put("c", **phones(4, 5), personalEmail="C@example.com", workEmail="c@example.com")
    merged = merge("a", "b", "c").json()
    held = {name: each["display"] for name, each in merged.items() if name.endswith("Phone")}
    assert held == {"workPhone": "4", "cellPhone": "5", "homePhone": "3", "otherPhone": "2"}
    emails = {name: each for name, each in merged.items() if name.endswith("Email")}
    assert emails == {
        "personalEmail": "C@example.com",
        "workEmail": "c@example.com",
        "otherEmail": "a@example.com",
    }


def test_an_override_wins_and_a_whole_contact_may_be_one(
    platform: Ask, merge: Ask, put: Callable[..., None]
) -> None:
    put("target", firstName="Ada")
    put("source", firstName="Bea", title="Dr")
    winner = platform("GET", f"{CONTACTS}/target").json()
    merged = merge("target", "source", **winner, middleName=None).json()
    assert (merged["firstName"], merged["title"]) == ("Ada", "Dr")
    assert merged["id"] != "target"
    assert merged["modifyDate"] > winner["modifyDate"]


def test_an_override_of_one_custom_field_leaves_the_others(
    platform: Ask, merge: Ask, put: Callable[..., None]
) -> None:
    put("a", customFields={"city_text": "Graz"})
    put("b", customFields={"tier_enum": "gold", "city_text": "Lyon"})
    (schema,) = platform("GET", f"{CONTACTS}/schemas").json()["entities"]
    merged = merge("a", "b", schema=schema, customFields={"city_text": "Osaka"}).json()
    assert merged["customFields"] == {"city_text": "Osaka", "tier_enum": "gold"}


@pytest.mark.parametrize(
    ("contact_ids", "override", "status", "code"),
    [
        (["a"], {}, 422, "validation.failed"),
        ([f"a{n}" for n in range(26)], {}, 422, "validation.failed"),
        (["a", "a"], {}, 422, "validation.failed"),
        (["a", "nobody"], {}, 404, "entity.not.found"),
        (["a", "north"], {}, 422, "merge.across.divisions.disallowed"),
        (["a", "b"], {"workEmail": "nowhere"}, 422, "validation.failed"),
        (["a", "b"], {"customFields": {"x": 1}}, 422, "custom.fields.validation.failed"),
        (["a", "b"], {"nickname": "x"}, 400, "invalid.property"),
    ],
)
def test_a_merge_that_may_not_be_changes_nothing(
    sandbox: SandboxHandle,
    merge: Ask,
    put: Callable[..., None],
    contact_ids: list[str],
    override: dict[str, Any],
    status: int,
    code: str,
) -> None:
    sandbox.put("divisions", "there", {"name": "There"})
    put("a")
    put("b")
    put("north", division={"id": "there"})
    before = sandbox.get("externalContacts", "a"), len(sandbox.ids("externalContacts"))
    refused = merge(*contact_ids, **override)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    after = sandbox.get("externalContacts", "a"), len(sandbox.ids("externalContacts"))
    assert (after, sandbox.effects()) == (before, [])


def test_what_was_merged_already_is_not_merged_again(merge: Ask, put: Callable[..., None]) -> None:
    for contact_id in ("a", "b", "c"):
        put(contact_id)
    assert merge("a", "b").status_code == 200
    for again in (("a", "b"), ("a", "c")):
        refused = merge(*again)
        assert (refused.status_code, refused.json()["code"]) == (422, "validation.failed")


def test_a_merge_set_has_at_most_fifty_two_contacts(sandbox: SandboxHandle, merge: Ask) -> None:
    ids = [f"c{n:02}" for n in range(53)]
    sandbox.put_many("externalContacts", {each: {} for each in ids})
    one = merge(*ids[:25]).json()["id"]
    other = merge(*ids[25:48]).json()["id"]
    refused = merge(one, other, *ids[48:50])
    assert (refused.status_code, refused.json()["code"]) == (409, "mergeset.max.size")
    both = merge(one, other, ids[48])
    assert (both.status_code, len(both.json()["mergeSet"])) == (200, 52)
    assert merge(both.json()["id"], ids[49]).status_code == 409
