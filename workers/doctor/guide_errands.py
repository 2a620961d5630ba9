"""What each task needs of the guides' endpoints, as calls that can have no effect.

A probe names something by a random UUID, which nothing has, and where it writes it sends nothing
that could be written: either alone would do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tasks.apis.calls import Call
from workers.doctor.probe import Errand, nowhere

REMEDY = "let the client have this scope, and ask for it where `scope` names those to be asked for"

_PARTICIPANTS = "/api/v2/conversations/voice/participants"
_CONFIGURATIONS = "/api/v2/webchat/organizations/{id}/configurations"
_INTERACTION = "/api/v2/interactions/{id}"

#: A read of nobody: there is no endpoint that says who a token belongs to.
HELLO = Call(
    method="GET",
    route="/api/v2/identity/profiles/{id}",
    needs="identity:profile:read",
    ids={"id": nowhere()},
)


def errands(*, syncs: bool) -> Iterator[Errand]:
    """Yield what a tenant's tasks need."""
    yield Errand(tasks=("merge_profiles", "merge_and_sync"), probes=tuple(_merging()))
    if syncs:
        contact = _call("GET", "/api/v2/interactions/contacts/{id}", "interaction:contact:read")
        yield Errand(tasks=("sync_profile", "merge_and_sync"), probes=(contact,))
    yield Errand(tasks=("set_attributes",), probes=tuple(_setting()))
    yield Errand(tasks=("deploy_config",), probes=tuple(_deploying()))
    yield Errand(
        tasks=("deploy_config",), probes=(_auditing(),), only="by messages with an audit_window"
    )
    reading = _call("GET", _INTERACTION, "interaction:read")
    # An interaction that does not exist, and no messages.
    writing = _call("PATCH", _INTERACTION, "interaction:write", body={})
    yield Errand(tasks=("redact_interaction",), probes=(reading, writing))
    yield Errand(tasks=("redact_completed",), probes=(reading, writing))


def backfilling() -> Errand:
    """Return what it takes to find what a bridge was not told of."""
    return Errand(tasks=(), probes=(_call("GET", _INTERACTION, "interaction:read"),))


def _merging() -> Iterator[Call]:
    yield HELLO
    yield _call("GET", "/api/v2/profiles/{id}/consent", "consent:read")
    # A merge of no profiles into one that does not exist.
    nobody = {"sourceProfileIds": [], "targetProfileId": nowhere(), "mergePolicy": "target_wins"}
    merge = "/api/v2/identity/profiles/merge"
    yield _call("POST", merge, "identity:profile:write", body=nobody)


def _setting() -> Iterator[Call]:
    yield _call("GET", _PARTICIPANTS, "conversation:view", query={"conversationId": nowhere()})
    # A participant who does not exist, and no attributes.
    nothing: dict[str, Any] = {"participantAttributes": {}}
    yield _call("PATCH", f"{_PARTICIPANTS}/{{id}}", "conversation:update", body=nothing)


def _deploying() -> Iterator[Call]:
    yield _call("GET", _CONFIGURATIONS, "webchat:configuration:read")
    # An organisation that does not exist, without the version that a write has to name.
    yield _call("PUT", _CONFIGURATIONS, "webchat:configuration:write", body={})


def _auditing() -> Call:
    # A query is a read; this one asks for nothing.
    return _call("POST", "/api/v2/audit/records/query", "audit:read", body={})


def _call(method: str, route: str, needs: str, **parts: Any) -> Call:
    return Call(method=method, route=route, needs=needs, ids={"id": nowhere()}, **parts)
