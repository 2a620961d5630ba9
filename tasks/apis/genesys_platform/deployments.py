"""Web messaging configurations by draft and version, and the deployments that show them.

What was written a moment ago may be answered with 400 or 404 for a while (the vendor's API is
eventually consistent): where a resource is known to be there, that counts as "not yet".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tasks import errors
from tasks.apis.bodies import Body, parse, read_as
from tasks.apis.calls import Answer, Call
from tasks.apis.deployments import Deployment, Draft, Release
from tasks.apis.genesys_platform.audits import PlatformAudits
from tasks.apis.genesys_platform.cursors import CursorPage, read_to_end
from tasks.apis.genesys_platform.settings import PlatformSettings

CONFIGURATION = "/api/v2/webdeployments/configurations/{configuration_id}/versions"
DEPLOYMENT = "/api/v2/webdeployments/deployments/{deployment_id}"
VIEW_CONFIGURATION = "webDeployments:configuration:view"
EDIT_CONFIGURATION = "webDeployments:configuration:edit"
VIEW_DEPLOYMENT = "webDeployments:deployment:view"

#: Seconds until what the API does not show yet is asked for again.
WAIT = 2.0
#: Answers that no waiting changes, among those that may mean "not yet".
FINAL = frozenset(
    {
        "bad.flow.id",
        "scp.id.not.found",
        "resource.limit.exceeded",
        "invalid.property",
        "invalid.value",
    }
)

#: What the API says of a version or a deployment and does not take (read-only in its definitions),
#: and `status`, which is a state.
TOLD = frozenset(
    {
        "id",
        "version",
        "status",
        "snippet",
        "dateCreated",
        "dateModified",
        "datePublished",
        "createdUser",
        "lastModifiedUser",
        "publishedUser",
        "selfUri",
    }
)


class _User(Body):
    id: str = ""


class _Version(Body):
    version: str
    status: str = ""
    date_modified: str = ""
    last_modified_user: _User = _User()

    @property
    def number(self) -> int | None:
        """The number of a published version; a draft has none."""
        return int(self.version) if self.version.isdecimal() else None


class _Versions(Body):
    entities: list[_Version] = []
    next_uri: str = ""


class _Reference(Body):
    id: str
    version: str

    def value(self) -> Release:
        return Release(configuration_id=self.id, version=self.version)


class _Deployment(Body):
    id: str
    configuration: _Reference
    status: str = ""


class _Live(Body):
    configuration_version: _Reference | None = None


@dataclass(frozen=True, kw_only=True)
class PlatformDeployments(PlatformAudits):
    """Implements the `Deployments` seam."""

    settings: PlatformSettings

    def read_draft(self, configuration_id: str) -> Draft | None:
        return self._read_version(configuration_id, "draft")

    def read_published(self, configuration_id: str) -> Draft | None:
        numbers = [each.number for each in self._versions(configuration_id)]
        newest = max((number for number in numbers if number is not None), default=None)
        return None if newest is None else self._read_version(configuration_id, str(newest))

    def put_draft(self, configuration_id: str, document: Mapping[str, object]) -> Draft:
        """Replace the draft. Raises `Postponed` for a 400 or 404, up to the draft's deadline."""
        call = Call(
            method="PUT",
            route=f"{CONFIGURATION}/draft",
            ids={"configuration_id": configuration_id},
            body=_taken(document),
            needs=EDIT_CONFIGURATION,
            kind="write",
            effect=True,
        )
        return self._draft(call, self._in_time(call, self.settings.draft_deadline_seconds))

    def publish_draft(self, configuration_id: str) -> str:
        """Make the draft a version. Raises `Postponed` as `put_draft` does."""
        call = Call(
            method="POST",
            route=f"{CONFIGURATION}/draft/publish",
            ids={"configuration_id": configuration_id},
            # Without a body, and JSON all the same: so does the vendor's SDK.
            headers={"Content-Type": "application/json"},
            needs=f"{EDIT_CONFIGURATION} and webDeployments:configuration:add",
            kind="write",
            effect=True,
        )
        answer = self._in_time(call, self.settings.draft_deadline_seconds)
        return parse(_Version, self.http, call, answer).version

    def read_deployment(self, deployment_id: str) -> Deployment:
        call = _read(DEPLOYMENT, VIEW_DEPLOYMENT, deployment_id=deployment_id)
        answer = self.http.call(call)
        body = parse(_Deployment, self.http, call, answer)
        return Deployment(
            id=body.id,
            release=body.configuration.value(),
            document=answer.body,
            active=body.status == "Active",
        )

    def put_deployment(self, deployment: Deployment, release: Release) -> None:
        """Give the deployment a release.

        Raises `Postponed` for a 400 or 404, up to the deployment's deadline: the release may be one
        that the API does not see yet.
        """
        chosen = {"id": release.configuration_id, "version": release.version}
        call = Call(
            method="PUT",
            route=DEPLOYMENT,
            ids={"deployment_id": deployment.id},
            body={**_taken(deployment.document), "configuration": chosen},
            needs="webDeployments:deployment:edit",
            kind="write",
            effect=True,
        )
        self._in_time(call, self.settings.deployment_deadline_seconds)

    def live_release(self, deployment_id: str) -> Release | None:
        call = _read(
            f"{DEPLOYMENT}/configurations",
            VIEW_DEPLOYMENT,
            allowed=frozenset({400, 404}),
            deployment_id=deployment_id,
        )
        answer = self.http.call(call)
        if answer.status in call.allowed:
            return None
        live = parse(_Live, self.http, call, answer).configuration_version
        return live.value() if live else None

    def _read_version(self, configuration_id: str, version: str) -> Draft | None:
        call = _read(
            f"{CONFIGURATION}/{{version}}",
            VIEW_CONFIGURATION,
            allowed=frozenset({404}),
            configuration_id=configuration_id,
            version=version,
        )
        answer = self.http.call(call)
        return None if answer.status == 404 else self._draft(call, answer)

    def _versions(self, configuration_id: str) -> Iterator[_Version]:
        """Yield all versions; none where the API shows no such configuration."""

        def page(after: str) -> CursorPage[_Version]:
            call = _read(
                CONFIGURATION,
                VIEW_CONFIGURATION,
                query={"after": after} if after else {},
                configuration_id=configuration_id,
            )
            body = read_as(_Versions, self.http, call)
            return CursorPage(call=call, items=body.entities, after=_after(body.next_uri))

        try:
            yield from read_to_end(self.http, page)
        except errors.NotFound:
            return

    def _draft(self, call: Call, answer: Answer) -> Draft:
        body = parse(_Version, self.http, call, answer)
        return Draft(
            document=_taken(answer.body),
            version=body.version.lower(),
            modified_at=body.date_modified,
            modified_by=body.last_modified_user.id,
            active=body.status == "Active",
        )

    def _in_time(self, call: Call, deadline: float) -> Answer:
        """Send a write that may come before the API sees what it builds on."""
        try:
            return self.http.call(call)
        except (errors.BadRequest, errors.NotFound) as error:
            if error.status not in (400, 404) or error.code in FINAL:
                raise
            raise errors.Postponed(str(error), wait=WAIT, deadline=deadline) from None


def _read(
    route: str,
    needs: str,
    *,
    query: Mapping[str, str] | None = None,
    allowed: frozenset[int] = frozenset(),
    **ids: str,
) -> Call:
    return Call(method="GET", route=route, ids=ids, query=query or {}, needs=needs, allowed=allowed)


def _taken(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the API takes of a document that it has given."""
    return {name: value for name, value in document.items() if name not in TOLD}


def _after(next_uri: str) -> str:
    """Return the cursor that the link to the next page holds, empty where there is none."""
    return parse_qs(urlsplit(next_uri).query).get("after", [""])[0]
