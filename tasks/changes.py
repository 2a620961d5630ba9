"""Count the configuration changes that the vendor's audit knows of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasks.apis.genesys import Configurations
from tasks.errors import BadRequest, Forbidden, NotFound, Unprocessable
from tasks.messages import Window
from tasks.operations import Json

#: What the audit cannot tell does not undo a deployment: it is reported instead.
REFUSALS = (BadRequest, Forbidden, NotFound, Unprocessable)


def count_changes(
    window: Window | None, organization_ids: Sequence[str], genesys: Configurations
) -> Mapping[str, Json]:
    """Return `audit` with the number of changes of the window and the newest one's time.

    Nothing is returned without a window; a refusal of the API stands in place of the numbers.
    """
    if window is None:
        return {}
    records, newest = 0, ""
    try:
        for record in genesys.configuration_changes(organization_ids, window.start, window.end):
            records += 1
            newest = max(newest, record.at)
    except REFUSALS as error:
        return {"audit": {"refused": str(error)}}
    return {"audit": {"records": records, "newest": newest or None}}
