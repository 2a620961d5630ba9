"""A plan with what only the sandbox knows: ids of its jobs, and when chats ended."""

from __future__ import annotations

from workers.demo.ends import TEMPLATE, with_ends
from workers.demo.jobs import with_job_ids
from workers.demo.plan import Plan
from workers.sandbox.testing import SandboxHandle


def as_known(plan: Plan, sandbox: SandboxHandle) -> Plan:
    """Return `plan` with what is known by now."""
    ended = with_ends(plan, sandbox.events(template=TEMPLATE, contract="guide"))
    return with_job_ids(ended, sandbox.effects(kind="replication.started"))
