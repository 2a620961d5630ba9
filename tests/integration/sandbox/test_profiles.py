"""Guest profiles: reading, consents, and every rule of the merge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from workers.sandbox.testing import SandboxHandle

Ask = Callable[..., requests.Response]
MERGE = "/api/v2/identity/profiles/merge"


def merge(ask: Ask, target: str, *sources: str, policy: str = "target_wins") -> requests.Response:
    body = {"sourceProfileIds": sources, "targetProfileId": target, "mergePolicy": policy}
    return ask("POST", MERGE, json=body)


def put(sandbox: SandboxHandle, profile_id: str, *links: str, **attributes: Any) -> None:
    body = {"customAttributes": attributes, "links": [{"profileId": link} for link in links]}
    sandbox.put("profiles", profile_id, body)


def test_a_profile_is_read_with_its_attributes_and_links(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    put(sandbox, "p", "q", tier="gold")
    body = genesys("GET", "/api/v2/identity/profiles/p").json()
    assert body == {
        "profileId": "p",
        "customAttributes": {"tier": "gold"},
        "links": [{"profileId": "q"}],
    }


def test_a_merge_links_the_sources_and_leaves_them_readable(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    target, *sources = sandbox.ids("profiles")[:4]
    answer = merge(genesys, target, *sources)
    assert (answer.status_code, answer.json()) == (200, {"profileId": target})
    read = genesys("GET", f"/api/v2/identity/profiles/{target}").json()
    assert read["links"] == [{"profileId": source} for source in sources]
    for source in sources:
        assert genesys("GET", f"/api/v2/identity/profiles/{source}").status_code == 200
    [effect] = sandbox.effects(kind="profiles.merged")
    assert effect["detail"] == {"target": target, "sources": sources, "policy": "target_wins"}


@pytest.mark.parametrize(
    ("policy", "merged"),
    [
        ("target_wins", {"a": "1", "b": "", "c": "first", "d": "4"}),
        ("source_wins", {"a": "one", "b": "two", "c": "first", "d": "4"}),
        ("custom", {"a": "1", "b": "two", "c": "first", "d": "4"}),
    ],
)
def test_the_policy_decides_which_attribute_stays(
    sandbox: SandboxHandle, genesys: Ask, policy: str, merged: dict[str, str]
) -> None:
    put(sandbox, "target", a="1", b="")
    put(sandbox, "first", a="one", b="two", c="first")
    put(sandbox, "second", a="uno", c="second", d="4")
    assert merge(genesys, "target", "first", "second", policy=policy).status_code == 200
    assert sandbox.get("profiles", "target")["customAttributes"] == merged


@pytest.mark.parametrize(
    ("target", "sources", "policy", "status", "code"),
    [
        ("t", [], "target_wins", 400, "bad.request"),
        ("t", [f"s{i}" for i in range(11)], "target_wins", 400, "bad.request"),
        ("t", ["s0", "s0"], "target_wins", 400, "bad.request"),
        ("t", ["s0", "t"], "target_wins", 422, "profile.merge.self"),
        ("t", ["s0"], "newest_wins", 422, "merge.policy.invalid"),
    ],
)
def test_a_merge_that_breaks_a_rule_changes_nothing(
    sandbox: SandboxHandle,
    genesys: Ask,
    target: str,
    sources: list[str],
    policy: str,
    status: int,
    code: str,
) -> None:
    put(sandbox, "t", a="1")
    for i in range(11):
        put(sandbox, f"s{i}", b=str(i))
    answer = merge(genesys, target, *sources, policy=policy)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert sandbox.get("profiles", "t")["links"] == []
    assert sandbox.effects() == []


def test_ten_sources_are_allowed(sandbox: SandboxHandle, genesys: Ask) -> None:
    put(sandbox, "t")
    for i in range(10):
        put(sandbox, f"s{i}")
    assert merge(genesys, "t", *(f"s{i}" for i in range(10))).status_code == 200


@pytest.mark.parametrize(("target", "source"), [("t", "nobody"), ("nobody", "t")])
def test_an_unknown_profile_is_named(
    sandbox: SandboxHandle, genesys: Ask, target: str, source: str
) -> None:
    put(sandbox, "t")
    answer = merge(genesys, target, source)
    assert answer.status_code == 404
    assert answer.json()["details"] == [{"entityId": "nobody"}]


def test_a_profile_is_merged_once(sandbox: SandboxHandle, genesys: Ask) -> None:
    for name in ("t", "s", "other"):
        put(sandbox, name)
    assert merge(genesys, "t", "s").status_code == 200
    for target in ("t", "other"):
        answer = merge(genesys, target, "s")
        assert (answer.status_code, answer.json()["code"]) == (409, "profile.already.linked")
        assert answer.json()["details"] == [{"profileId": "s", "linkedTo": "t"}]
    assert len(sandbox.effects(kind="profiles.merged")) == 1


def test_links_never_form_a_circle(sandbox: SandboxHandle, genesys: Ask) -> None:
    put(sandbox, "grandparent", "parent")
    put(sandbox, "parent", "child")
    put(sandbox, "child")
    answer = merge(genesys, "child", "grandparent")
    assert (answer.status_code, answer.json()["code"]) == (409, "profile.link.circular")


def test_a_target_that_was_merged_with_others_takes_more(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    put(sandbox, "t", "old")
    put(sandbox, "old")
    put(sandbox, "new")
    assert merge(genesys, "t", "new").status_code == 200
    links = sandbox.get("profiles", "t")["links"]
    assert links == [{"profileId": "old"}, {"profileId": "new"}]


@pytest.mark.parametrize(("shared", "status"), [(1, 200), (0, 422)])
def test_at_most_fifty_distinct_attributes_are_kept(
    sandbox: SandboxHandle, genesys: Ask, shared: int, status: int
) -> None:
    names = [f"a{i}" for i in range(51 - shared)]
    put(sandbox, "t", **dict.fromkeys(names[: 25 + shared], "x"))
    put(sandbox, "s", **dict.fromkeys(names[25:], "y"))
    answer = merge(genesys, "t", "s")
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["code"] == "attribute.limit.exceeded"
        assert len(sandbox.get("profiles", "t")["customAttributes"]) == 25


def test_consents_are_read_or_there_are_none(sandbox: SandboxHandle, genesys: Ask) -> None:
    consents = {"consents": [{"purpose": "marketing", "status": "withdrawn"}]}
    put(sandbox, "asked")
    put(sandbox, "never-asked")
    sandbox.put("consents", "asked", consents)
    assert genesys("GET", "/api/v2/profiles/asked/consent").json() == consents
    for profile_id in ("never-asked", "nobody"):
        assert genesys("GET", f"/api/v2/profiles/{profile_id}/consent").status_code == 404


def test_a_merged_profile_is_a_contact_with_what_the_merge_made_of_it(
    sandbox: SandboxHandle, genesys: Ask
) -> None:
    put(sandbox, "t", a="1")
    put(sandbox, "s", b="2")
    merge(genesys, "t", "s")
    body = genesys("GET", "/api/v2/interactions/contacts/t").json()
    assert body == {"contactId": "t", "attributes": {"b": "2", "a": "1"}}
