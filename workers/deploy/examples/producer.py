"""Sends a message with stock Celery, and waits for its result.

producer.py merge merge_profiles '{"source_profile_ids": ["guest-1"], "target_profile_id": "p-9"}'

It needs `pip install 'celery[redis]'`, and nothing of genesys-workers.
"""

from __future__ import annotations

import json
import os
import sys

from celery import Celery

queue, task, arguments = sys.argv[1:]
redis = os.environ.get("REDIS_URL", "redis://localhost:6379/0")

# Where no result is asked for, leave `backend` out: nothing is then read from Redis.
app = Celery(broker=redis, backend=redis)
sent = app.send_task(task, kwargs=json.loads(arguments), queue=queue)

# `done`, `noop` and `accepted` return; anything else is raised, with its reason.
print(json.dumps(sent.get(timeout=30)))
