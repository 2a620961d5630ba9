"""`POST …/contacts/merge`: contacts become one new contact, and stay readable as they were."""

from __future__ import annotations

from collections.abc import Sequence

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.errors import Refused, conflict
from workers.sandbox.notifications.contact_events import merge_set_changed
from workers.sandbox.platform import contact_shape, merged_contacts
from workers.sandbox.platform.contact_rules import in_order
from workers.sandbox.platform.contacts import contact, shown
from workers.sandbox.platform.errors import invalid
from workers.sandbox.platform.shapes import Shape
from workers.sandbox.world import Document, new_id

MOST_CONTACTS = 25
LARGEST_MERGE_SET = 52
_REQUEST = Shape(contact_shape.MergeContactsRequest)


def merge(call: Call) -> Answer:
    """`{contactIds[2..25], valueOverride?}` → the new contact, at the head of the merge set.

    Raises Refused: 404 `entity.not.found`, 409 `mergeset.max.size`, 422 for a wrong number of
    contacts, for contacts of several divisions, and for one that was merged already [?].
    """
    asked = _REQUEST.read(call)
    inputs = _inputs(call, asked["contactIds"])
    sent = asked.get("valueOverride", {}).items()
    written = {name: value for name, value in sent if name in contact_shape.WRITABLE}
    override = in_order(call.organization, written)
    if len(merged_contacts.merge_set(inputs)) + 1 > LARGEST_MERGE_SET:
        message = f"a merge set has at most {LARGEST_MERGE_SET} contacts"
        raise conflict("mergeset.max.size", message)
    merged_id = new_id(call.world.rng)
    merged = merged_contacts.merge(call.organization, merged_id, inputs, override, call.now)
    call.effect(
        "contacts.merged", merged_id, contacts=asked["contactIds"], overridden=sorted(override)
    )
    call.notify(merge_set_changed(call.organization.external_contacts, merged, call.now))
    return Answer(body=shown(call, merged))


def _inputs(call: Call, contact_ids: Sequence[str]) -> list[Document]:
    if not 2 <= len(contact_ids) <= MOST_CONTACTS:
        raise invalid("contactIds", f"must name from 2 to {MOST_CONTACTS} contacts")
    if len(set(contact_ids)) < len(contact_ids):
        raise invalid("contactIds", "must not name a contact twice")
    inputs = [contact(call, each) for each in contact_ids]
    if any("mergedTo" in each for each in inputs):
        raise invalid("contactIds", "must not name a contact that was merged into another")
    if len({each["division"]["id"] for each in inputs}) > 1:
        message = "contacts of several divisions cannot be merged"
        raise Refused(422, "merge.across.divisions.disallowed", message)
    return inputs


ROUTES = (
    Route(
        method="POST",
        path="/api/v2/externalcontacts/contacts/merge",
        any_of=("externalContacts:identity:merge",),
        handle=merge,
    ),
)
