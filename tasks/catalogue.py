"""All operations of the system."""

from __future__ import annotations

from typing import Any

from tasks import attributes, merge, sync, workflows
from tasks.operations import Operation

OPERATIONS: tuple[Operation[Any], ...] = (
    merge.OPERATION,
    workflows.OPERATION,
    attributes.OPERATION,
    sync.OPERATION,
)
