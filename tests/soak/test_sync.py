"""5,000 changes of 200 customers, shuffled, some twice, amid faults and kills; for each target."""

from __future__ import annotations

import pytest

from tests.support.cluster import Cluster
from tests.support.sync_flood import begin_anew, flood_target

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("target", ["cxone-guide", "cxone", "cognigy"])
def test_each_customer_ends_with_the_newest_value_of_every_field_in_a_third_of_the_writes(
    cluster: Cluster, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begin_anew(cluster)
    flood = flood_target(cluster, target, messages=5_000, customers=200, kills=4, window=8)
    with capsys.disabled():
        print(f"\n{target}: {flood.writes():,} writes for 5,000 messages")
