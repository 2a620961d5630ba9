"""Make a version of a web messaging configuration that has our fields: draft, wait, publish.

A draft is shared by all administrators, and the API has no version to write it under: what others
have not published is left alone, and a draft that somebody changes after us is not published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasks import messenger_configuration
from tasks.apis.deployments import Deployments, Draft
from tasks.apis.moments import parse_moment
from tasks.apis.systems import Systems, offered
from tasks.compact_json import compact_json
from tasks.errors import Conflict, Postponed, Rejected
from tasks.settling import counted_from
from tasks.webmessaging import WebMessaging


@dataclass(frozen=True, kw_only=True)
class Version:
    """A published version of a configuration; `made` is whether this operation has published it."""

    number: str
    made: bool
    document: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Drafting:
    """A configuration that is to have our fields; `overwrite` gives up what others have drafted."""

    configuration_id: str
    config: WebMessaging
    overwrite: bool
    systems: Systems

    @property
    def api(self) -> Deployments:
        return offered(self.systems.deployments)

    def noted(self) -> Any:
        """Return what is known of our draft, None before it has been put."""
        return self.systems.steps.done().get("draft")

    def has_ours(self, document: Mapping[str, Any]) -> bool:
        return messenger_configuration.carry(self.config, document) == document


def version_with_ours(drafting: Drafting) -> Version:
    """Return the version that has our fields; draft and publish it where there is none.

    Each step is found as done by looking, where its answer was lost. Raises `Postponed` while the
    API is storing the draft, `Rejected` where there is no such configuration, and `Conflict` where
    the draft holds what others have changed.
    """
    published = drafting.api.read_published(drafting.configuration_id)
    if published and drafting.has_ours(published.document):
        made = drafting.noted() is not None
        return Version(number=published.version, made=made, document=published.document)
    if drafting.noted() is None:
        note(drafting, put_ours(drafting, published))
    with counted_from(datetime.fromisoformat(drafting.noted()["at"]), drafting.systems):
        draft = stored_draft(drafting)
        check_unchanged(drafting.noted(), draft)
        number = drafting.api.publish_draft(drafting.configuration_id)
    return Version(number=number, made=True, document=draft.document)


def put_ours(drafting: Drafting, published: Draft | None) -> Draft:
    """Put our fields over what is published, unless the draft has become so already."""
    draft = drafting.api.read_draft(drafting.configuration_id)
    base = base_of(drafting, draft, published)
    wanted = messenger_configuration.carry(drafting.config, base)
    if draft and draft.document == wanted:
        return draft
    with counted_from(beginning(drafting.systems), drafting.systems):
        return drafting.api.put_draft(drafting.configuration_id, wanted)


def beginning(systems: Systems) -> datetime:
    """Return when the draft was first to be put, in this attempt or in an earlier one."""
    steps = systems.steps
    if "drafting" not in steps.done():
        steps.note("drafting", systems.now().isoformat())
    return datetime.fromisoformat(str(steps.done()["drafting"]))


def base_of(
    drafting: Drafting, draft: Draft | None, published: Draft | None
) -> Mapping[str, object]:
    """Return the document that our fields go over.

    That is what is published, and the draft where nothing ever was. Raises `Conflict` where the
    draft is neither that nor a draft of ours: it holds what somebody has not published yet.
    """
    if published is None:
        if draft is None:
            raise Rejected(
                f"configuration_id: there is no configuration {drafting.configuration_id}"
            )
        return draft.document
    if draft and not drafting.overwrite and not is_ours(drafting, draft, published):
        raise Conflict(
            f"configuration_id: its draft has changes of {draft.modified_by} of {draft.modified_at}"
            " that are not published; publish or discard them, or send overwrite_existing"
        )
    return published.document


def is_ours(drafting: Drafting, draft: Draft, published: Draft) -> bool:
    """Return whether a draft holds nothing but what is published and what we have put there.

    A deployment of ours that failed before it was published has left such a draft.
    """
    ours = messenger_configuration.carry(drafting.config, published.document)
    left = drafting.systems.history.draft(drafting.configuration_id)
    return draft.document in (published.document, ours) or (left is not None and same(left, draft))


def note(drafting: Drafting, draft: Draft) -> None:
    """Keep by what our draft is known again; its wait begins here."""
    known = traces(draft)
    drafting.systems.history.remember_draft(drafting.configuration_id, known)
    drafting.systems.steps.note("draft", {**known, "at": drafting.systems.now().isoformat()})


def traces(draft: Draft) -> dict[str, str]:
    digest = hashlib.sha256(compact_json(draft.document)).hexdigest()
    return {"by": draft.modified_by, "modified": draft.modified_at, "digest": digest}


def stored_draft(drafting: Drafting) -> Draft:
    """Return the draft as the API has stored it, or raise `Postponed` while it has not."""
    draft = drafting.api.read_draft(drafting.configuration_id)
    if draft is None or not draft.active or is_older(draft, drafting.noted()["modified"]):
        deadline = drafting.systems.platform.draft_deadline_seconds
        raise Postponed("the draft is not stored yet", 0, deadline)
    return draft


def is_older(draft: Draft, noted: str) -> bool:
    """Return whether the draft is of an earlier moment; the vendor leaves out whole seconds' .000.

    Moments that cannot be read tell nothing.
    """
    found, ours = parse_moment(draft.modified_at), parse_moment(noted)
    return found is not None and ours is not None and found < ours


def same(noted: Mapping[str, str], draft: Draft) -> bool:
    """Return whether a draft is the one of these traces.

    The API may move its time when it has stored it: the same content by the same client is ours.
    """
    found = traces(draft)
    unchanged = found["modified"] == noted["modified"] or found["digest"] == noted["digest"]
    return unchanged and found["by"] == noted["by"]


def check_unchanged(noted: Mapping[str, str], draft: Draft) -> None:
    """Raise `Conflict` where the draft is not the one that we have put."""
    if not same(noted, draft):
        raise Conflict(
            f"configuration_id: its draft was changed by {draft.modified_by} at"
            f" {draft.modified_at}, after ours; it was not published"
        )
