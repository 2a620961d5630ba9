"""Names by an analyzer, which fails closed. The analyzers here are real ones of a few lines."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import pytest

from tasks.errors import DetectorFailed, Failed, WorkerError
from tasks.pii import find, redact_transcript
from tasks.pii.names import OVERLAP, PIECE, Analyzer, Names, missing
from tasks.pii.search import Search
from workers.policy import PutBack, decide


@dataclass(frozen=True)
class Hit:
    start: int
    end: int
    entity_type: str


@dataclass
class Gazetteer:
    """Knows two people and a city; `texts` is what it was given."""

    texts: list[str] = field(default_factory=list)

    def analyze(self, text: str, language: str, entities: list[str]) -> Iterator[Hit]:
        assert language == "en"
        self.texts.append(text)
        for match in re.finditer(r"(Ann Smith|Bob)|(Berlin)", text):
            entity = "PERSON" if match[1] else "LOCATION"
            if entity in entities:
                yield Hit(match.start(), match.end(), entity)


class Broken:
    def analyze(self, text: str, *_: object) -> Iterator[Hit]:
        raise RuntimeError(f"cannot read {text}")


class Hanging:
    def __init__(self) -> None:
        self.released = threading.Event()

    def analyze(self, *_: object) -> Iterator[Hit]:
        self.released.wait(30)
        return iter(())


def names(analyzer: Analyzer, timeout: float = 10.0) -> Names:
    return Names(analyzer=lambda _: analyzer, timeout=timeout)


def search(analyzer: Analyzer, timeout: float = 10.0) -> Search:
    return Search(others=(names(analyzer, timeout),), labels=("name", "location"))


def test_names_and_places_are_found_beside_the_rest() -> None:
    messages = [{"text": "I am Ann Smith from Berlin, ann@example.com"}]
    redacted = redact_transcript(messages, search=search(Gazetteer()))
    assert redacted.messages[0]["text"] == "I am [REDACTED] from [REDACTED], [REDACTED]"
    assert redacted.findings == {"email": 1, "location": 1, "name": 1}


def test_a_text_without_letters_is_not_analyzed() -> None:
    gazetteer = Gazetteer()
    assert find("123 456", also=[names(gazetteer)]) == []
    assert gazetteer.texts == []


@pytest.mark.parametrize("at", [0, PIECE - 4, PIECE - OVERLAP - 4, 2 * PIECE, 3 * PIECE - 9])
def test_a_long_text_is_analyzed_in_pieces_that_cut_no_name(at: int) -> None:
    text = f"{'x ' * (at // 2)}Ann Smith{' y' * PIECE}"
    gazetteer = Gazetteer()
    (finding,) = find(text, also=[names(gazetteer)])
    assert text[finding.start : finding.end] == "Ann Smith"
    assert max(map(len, gazetteer.texts)) <= PIECE
    assert gazetteer.texts[-1] == text[-len(gazetteer.texts[-1]) :]


def test_an_analyzer_that_fails_stops_the_redaction_without_quoting_the_text() -> None:
    with pytest.raises(DetectorFailed) as failure:
        redact_transcript([{"text": "I am Ann Smith"}], search=search(Broken()))
    assert str(failure.value) == "names: the analyzer failed with RuntimeError"
    assert failure.value.__cause__ is None
    assert failure.value.__context__ is None
    assert isinstance(failure.value, WorkerError)


def test_one_that_takes_too_long_stops_it_as_well() -> None:
    hanging = Hanging()
    with pytest.raises(DetectorFailed, match=r"longer than 0\.05 s"):
        redact_transcript([{"text": "I am Ann Smith"}], search=search(hanging, timeout=0.05))
    hanging.released.set()


def test_the_operation_is_tried_again_and_ends_as_failed() -> None:
    tries: dict[str, int] = {}
    while isinstance(
        decision := decide(DetectorFailed("names: x"), tries=tries, elapsed=0, random=Random(1)),
        PutBack,
    ):
        tries[decision.cause] = tries.get(decision.cause, 0) + 1
    assert isinstance(decision.error, Failed)
    assert sum(tries.values()) >= 1


def test_what_is_missing_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "pip install 'genesys-workers[names]'" in (missing("xx_no_such") or "")
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    assert "need Presidio" in (missing("json") or "")
