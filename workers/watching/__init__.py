"""How the cluster is: status, log events, traces, signs of life."""

from __future__ import annotations
