"""Count the configuration changes that the vendor's audit knows of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasks.apis.genesys import Configurations
from tasks.compact_json import Json
from tasks.hindsight import UNSEEN
from tasks.messages import Window


def count_changes(
    window: Window | None, organization_ids: Sequence[str], genesys: Configurations
) -> Mapping[str, Json]:
    """Return `audit` with the number of changes of the window and the newest one's time.

    Nothing is returned without a window. Where the audit cannot be read, `unavailable` says why in
    place of the numbers.
    """
    if window is None:
        return {}
    records, newest = 0, ""
    try:
        for record in genesys.configuration_changes(organization_ids, window.start, window.end):
            records += 1
            newest = max(newest, record.at)
    except UNSEEN as error:
        return {"audit": {"unavailable": str(error)}}
    return {"audit": {"records": records, "newest": newest or None}}
