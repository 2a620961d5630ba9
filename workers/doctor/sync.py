"""Whether a tenant's profiles can be synced to its target."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tasks.apis.calls import Call
from tasks.apis.systems import offered
from tasks.errors import ApiError, WorkerError
from tasks.mapping import SyncRules
from workers.doctor.finding import Finding, bad, ok, warn
from workers.doctor.probe import LATER, Errand, nowhere
from workers.doctor.visit import Visit

SCOPES = "let the client have this scope"

#: The guide's only verb, for a customer that does not exist, with no attributes: it sets nothing.
SET_NOTHING = Call(
    method="PUT",
    route="/api/v2/customers/{id}/attributes",
    needs="customer.profile:write",
    ids={"id": nowhere()},
    body={"attributes": []},
    kind="write",
)
#: A customer whom no target has, in the form of the ids of those that ask for one.
NOBODY = nowhere().replace("-", "")[:24]

ERRAND = Errand(tasks=("sync_profile", "merge_and_sync"), probes=(SET_NOTHING,))


def defined(visit: Visit) -> Iterator[Finding]:
    """Find whether the target answers, and has the fields that the tenant's `fields` name."""
    try:
        with visit.systems() as opened:
            store = offered(opened.customers)
            fields = store.definitions()
            if fields is None:
                store.read(NOBODY)
    except ApiError as error:
        yield bad(str(error), "check the target's URL and credentials in [tenants.NAME.sync]")
    except WorkerError as error:
        yield warn(f"not asked: {error}", LATER)
    else:
        yield _compared(opened.sync, fields)


def _compared(rules: SyncRules, fields: Collection[str] | None) -> Finding:
    if fields is None:
        return ok("answers")
    named = {rule.target or name for name, rule in rules.fields.items() if not rule.drop}
    if missing := sorted(named - set(fields)):
        what = f"the target defines no field {', '.join(missing)}"
        return bad(what, "define it there, or map it to another one in [tenants.NAME.sync.fields]")
    return ok(f"answers, {len(fields)} fields are defined")
