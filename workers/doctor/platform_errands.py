"""What each task needs of the published Platform API, as calls that can have no effect.

A probe names something by a random UUID, which nothing has, and where it writes it sends nothing
that could be written: either alone would do. Permissions by operation are those of the vendor's
Swagger document.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.apis.calls import Call
from tasks.apis.genesys_platform.settings import PlatformSettings
from workers.doctor.probe import Errand, nowhere

REMEDY = "give a role of the client this permission: Admin › People & Permissions › Roles"

_CONTACT = "/api/v2/externalcontacts/contacts"
_CONVERSATION = "/api/v2/conversations/{conversation}"
_CONFIGURATION = "/api/v2/webdeployments/configurations/{configuration}/versions/draft"
_DEPLOYMENT = "/api/v2/webdeployments/deployments/{deployment}"
_RULES = "/api/v2/dataprivacy/maskingrules"
_GDPR = "/api/v2/gdpr/requests"

#: Tells who the token belongs to; every client may ask.
HELLO = Call(method="GET", route="/api/v2/tokens/me", needs="a token")


def errands(settings: PlatformSettings, *, syncs: bool) -> Iterator[Errand]:
    """Yield what a tenant's tasks need; steps that it has switched off need nothing."""
    yield Errand(
        tasks=("merge_profiles", "merge_and_sync"), probes=(_view_contact(), _merge_nobody())
    )
    if syncs:
        yield Errand(tasks=("sync_profile", "merge_and_sync"), probes=(_view_contact(),))
    yield Errand(tasks=("set_attributes",), probes=(_view_conversation(),))
    yield Errand(tasks=("deploy_config", "rollback"), probes=tuple(_deploying()))
    audit = _read("/api/v2/audits/query/{transaction}", "audits:audit:view", transaction=nowhere())
    yield Errand(tasks=("deploy_config",), probes=(audit,), only="by messages with an audit_window")
    yield _redacting(settings)
    yield Errand(tasks=("redact_completed",), probes=(_analytics(),))
    yield Errand(tasks=("masking",), probes=tuple(_masking()), only="by the command masking")


def backfilling(*, attributes: bool) -> Errand:
    """Return what it takes to find what a bridge was not told of."""
    reading = (_view_conversation(),) if attributes else ()
    return Errand(tasks=(), probes=(_analytics(), *reading))


def _view_contact() -> Call:
    return _read(
        f"{_CONTACT}/{{contact}}/unresolved", "externalContacts:contact:view", contact=nowhere()
    )


def _merge_nobody() -> Call:
    # A merge of no contacts: it takes two.
    return _write("POST", f"{_CONTACT}/merge", "externalContacts:identity:merge")


def _view_conversation() -> Call:
    return _read(_CONVERSATION, "conversation:communication:view", conversation=nowhere())


def _deploying() -> Iterator[Call]:
    unknown = {"configuration": nowhere(), "deployment": nowhere()}
    yield _read(_CONFIGURATION, "webDeployments:configuration:view", **unknown)
    # A draft of a configuration that does not exist; without its name it would be refused as well.
    yield _write("PUT", _CONFIGURATION, "webDeployments:configuration:edit", **unknown)
    # Publishing creates nothing: a configuration that does not exist has no draft.
    publish = f"{_CONFIGURATION}/publish"
    yield _write("POST", publish, "webDeployments:configuration:add", **unknown)
    yield _read(_DEPLOYMENT, "webDeployments:deployment:view", **unknown)
    # A deployment that does not exist, given no configuration.
    yield _write("PUT", _DEPLOYMENT, "webDeployments:deployment:edit", **unknown)


def _redacting(settings: PlatformSettings) -> Errand:
    unknown = {"conversation": nowhere(), "message": nowhere()}
    messages = "/api/v2/conversations/messages/{conversation}/messages/{message}"
    viewing = "conversation:message:view or conversation:webmessaging:view"
    probes = [_view_conversation(), _read(messages, viewing, **unknown)]
    if settings.delete_recordings:
        metadata = f"{_CONVERSATION}/recordingmetadata"
        probes.append(_read(metadata, "recording:recording:view", **unknown))
    if settings.gdpr_requests:
        probes.append(_read(f"{_GDPR}/{{request}}", "gdpr:request:view", request=nowhere()))
        # A request of no kind, about nobody, and not confirmed.
        probes.append(_write("POST", _GDPR, "gdpr:request:add"))
    # A write to a recording that does not exist tells nothing: whoever may view one may try.
    untold = "recording:recording:editRetention" if settings.delete_recordings else ""
    return Errand(tasks=("redact_interaction",), probes=probes, untold=untold)


def _analytics() -> Call:
    return _read(
        "/api/v2/analytics/conversations/details/jobs/availability",
        "analytics:conversationDetail:view",
    )


def _masking() -> Iterator[Call]:
    rule = f"{_RULES}/{{rule}}"
    yield _read(rule, "dataprivacy:maskingrule:view", rule=nowhere())
    # A rule without anything that a rule must have.
    yield _write("POST", _RULES, "dataprivacy:maskingrule:add")
    # Rules that do not exist: nothing of them is changed, and nothing is deleted.
    yield _write("PATCH", rule, "dataprivacy:maskingrule:edit", rule=nowhere())
    yield _write("DELETE", rule, "dataprivacy:maskingrule:delete", rule=nowhere())
    # A trial of a rule keeps nothing by its nature; this one is no rule.
    yield _write("POST", f"{_RULES}/validate", "dataprivacy:maskingrule:execute")


def _read(route: str, needs: str, **ids: str) -> Call:
    return Call(method="GET", route=route, needs=needs, ids=ids)


def _write(method: str, route: str, needs: str, **ids: str) -> Call:
    return Call(method=method, route=route, needs=needs, ids=ids, body={}, kind="write")
