"""Events by the thousand over both sources: one message for each occurrence, and none missing."""

from __future__ import annotations

from pathlib import Path

from tests.support.bridge_flood import GROWTH, flood


def test_each_occurrence_becomes_one_message_over_both_sources(
    redis_url: str, tmp_path: Path
) -> None:
    """A fifth of the events comes twice on each way, and the end of a chat on both."""
    flooded = flood(redis_url, tmp_path, events=4_000, rate=800)

    assert flooded.sent == flooded.expected
    ends = {sent: count for sent, count in flooded.sent.items() if sent[0] == "redact_interaction"}
    assert set(ends.values()) == {1}
    assert flooded.report.counts["duplicates"] > len(ends)
    assert flooded.grown < GROWTH * 2**20
