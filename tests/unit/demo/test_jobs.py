from __future__ import annotations

import random

from workers.demo import deployments
from workers.demo.jobs import with_job_ids
from workers.demo.plan import Plan, Planned


def test_what_follows_a_job_is_named_by_the_id_that_the_api_gave_it() -> None:
    planned = Planned(
        errand=deployments.replicated(random.Random(1), "default"),
        operation_id="o-1",
        message_ids=("o-1",),
        named=True,
        by_us=False,
    )
    records = [
        {"correlation_id": "o-2", "subject": "job-2"},
        {"correlation_id": "o-1", "subject": "job-1"},
    ]
    (named,) = with_job_ids(Plan(planned=(planned,)), records).planned
    assert [name for name, _ in named.operations()] == ["o-1", "o-1:replication-job-1"]
    assert with_job_ids(Plan(planned=(planned,)), []).planned == (planned,)
