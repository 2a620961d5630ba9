"""All operations of the system."""

from __future__ import annotations

from typing import Any

from tasks import (
    attributes,
    confirmation,
    deploy,
    merge,
    redact,
    replication,
    rollback,
    sweep,
    sync,
    workflows,
)
from tasks.operations import Operation

OPERATIONS: tuple[Operation[Any], ...] = (
    merge.OPERATION,
    workflows.OPERATION,
    attributes.OPERATION,
    confirmation.OPERATION,
    sync.OPERATION,
    deploy.OPERATION,
    replication.OPERATION,
    rollback.OPERATION,
    redact.OPERATION,
    *sweep.OPERATIONS,
)
