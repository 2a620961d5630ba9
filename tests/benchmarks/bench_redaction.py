"""Redaction of chat messages: this project's finder, the guides' five patterns and Presidio's.

    python -m tests.benchmarks.bench_redaction --messages 10000 --rounds 5

All get the same messages in one process and take turns. The messages are those of the public
development data where these are next to the project (`../shared/redaction/dev`), else a seeded
mixture of chat lines, of which one in five has a number in it. Presidio's pattern recognizers run
where `presidio_analyzer` is installed, on a part of the messages.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tasks.pii import redact

CHATS = Path(__file__).parents[3] / "shared" / "redaction" / "dev" / "multidogo_dev.jsonl"

#: One in so many messages goes to Presidio, which is slower by orders of magnitude.
PRESIDIO_SHARE = 20

GUIDES = [
    re.compile(pattern)
    for pattern in (
        r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
        r"\b\d{3}-?\d{2}-?\d{4}\b",
        r"\b(?:\d[ -]*?){13,16}\b",
        r"(?:\+?1[-. ]?)?\(?\d{3}\)?[-. ]?\d{3}[-. ]?\d{4}\b",
        r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
    )
]

_LINES = [
    "hi, my parcel has not arrived yet",
    "can you check that for me please?",
    "thanks, that is all i needed today",
    "the blue one, size 42, bought last week",
    "ok",
    "i tried to log in but it says my password is wrong",
    "sure, one moment",
    "yes please send it to the same address as last time",
]
_NUMBERED = [
    "my order number is {0:010d}",
    "you can reach me at 415 555 {1:04d}",
    "it is kim{1}@example.com",
    "i paid {1} dollars on 2026-01-31",
]

Redact = Callable[[str], object]


def guides(text: str) -> str:
    """Redact as the guides do: five patterns, one after the other."""
    for pattern in GUIDES:
        text = pattern.sub("[REDACTED]", text)
    return text


def presidio() -> Redact | None:
    """Return a call of Presidio's pattern recognizers, None where it is not installed."""
    if importlib.util.find_spec("presidio_analyzer") is None:
        return None
    known = importlib.import_module("presidio_analyzer.predefined_recognizers")
    names = ("Email", "Phone", "UsSsn", "CreditCard", "Ip", "Iban")
    recognizers: list[Any] = [getattr(known, f"{name}Recognizer")() for name in names]
    return lambda text: [each.analyze(text, each.supported_entities, None) for each in recognizers]


def messages(count: int) -> list[str]:
    """Return that many messages, of the development data where they are there."""
    if CHATS.exists():
        lines = CHATS.read_text(encoding="utf-8").splitlines()[:count]
        return [json.loads(line)["text"] for line in lines]
    seeded = random.Random(7)
    return [
        seeded.choice(_LINES if seeded.random() < 0.8 else _NUMBERED).format(
            seeded.randrange(10**10), seeded.randrange(10**4)
        )
        for _ in range(count)
    ]


def seconds(call: Redact, texts: Sequence[str]) -> float:
    """Return the processor time of one message on average, which other processes disturb least."""
    started = time.process_time()
    for text in texts:
        call(text)
    return (time.process_time() - started) / len(texts)


def table(best: dict[str, float]) -> Table:
    """Return messages per second of each side, and how often ours is as fast."""
    shown = Table("side", "messages/s", "ours is faster by", title="redaction, one process")
    for name, each in best.items():
        shown.add_row(name, f"{1 / each:,.0f}", f"{each / best['ours']:.2f}")
    return shown


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    texts = messages(asked.messages)
    sides: list[tuple[str, Redact, Sequence[str]]] = [("ours", redact, texts)]
    sides.append(("the guides' five patterns", guides, texts))
    if peer := presidio():
        sides.append(("Presidio's pattern recognizers", peer, texts[::PRESIDIO_SHARE]))
    else:
        Console().print("Presidio is not measured: presidio_analyzer is not installed.")
    rounds = [
        {name: seconds(call, some) for name, call, some in sides} for _ in range(asked.rounds)
    ]
    Console().print(table({name: min(each[name] for each in rounds) for name, _, _ in sides}))


if __name__ == "__main__":
    main()
