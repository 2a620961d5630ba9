"""Names of people and places, by Presidio with a spaCy model, where a tenant wants them.

An optional extra: slow, and less sure than the other detectors. It fails closed: where the analyzer
raises or takes too long the redaction stops with `DetectorFailed`, and no text passes unlooked at.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from tasks.errors import DetectorFailed
from tasks.pii.findings import Finding

#: What Presidio calls an entity, and what we do.
_OURS: Mapping[str, str] = {"PERSON": "name", "LOCATION": "location"}
ENTITIES = tuple(_OURS.values())

MODEL = "en_core_web_sm"

#: Characters that are analyzed at once, and how many of the last piece the next one repeats, so
#: that no name is cut: a model's memory grows with the text.
PIECE = 10_000
OVERLAP = 200

#: Seconds for one piece; loading the model counts.
TIMEOUT = 60.0


class Result(Protocol):
    """What an analyzer reports."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def entity_type(self) -> str: ...


class Analyzer(Protocol):
    """The part of Presidio's `AnalyzerEngine` that is used."""

    def analyze(self, text: str, language: str, entities: list[str], /) -> Iterable[Result]: ...


def missing(model: str = MODEL) -> str | None:
    """Return what has to be installed for names to be found, None where everything is there."""
    if importlib.util.find_spec("presidio_analyzer") is None:
        return "need Presidio: pip install 'genesys-workers[names]', or leave names out"
    if importlib.util.find_spec(model) is None:
        return f"need the model {model}: python -m spacy download {model}, or leave names out"
    return None


@lru_cache
def presidio(model: str) -> Analyzer:
    """Return Presidio's analyzer with this spaCy model, one in a process.

    Raises `DetectorFailed` where something is missing: Presidio would download the model.
    """
    if need := missing(model):
        raise DetectorFailed(f"names: {need}")
    engines = importlib.import_module("presidio_analyzer.nlp_engine")
    language = model[:2]
    models = [{"lang_code": language, "model_name": model}]
    provider = engines.NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": models}
    )
    analyzer: Analyzer = importlib.import_module("presidio_analyzer").AnalyzerEngine(
        nlp_engine=provider.create_engine(), supported_languages=[language]
    )
    return analyzer


@dataclass(frozen=True, kw_only=True)
class Names:
    """Finds `name` and `location`; `analyzer` returns what looks for them, given the model."""

    model: str = MODEL
    analyzer: Callable[[str], Analyzer] = field(default=presidio, repr=False)
    timeout: float = TIMEOUT

    def find(self, text: str, _asked: str | None) -> Iterator[Finding]:
        """Yield the names; raise `DetectorFailed` where the analyzer fails or takes too long."""
        for base in range(0, max(1, len(text) - OVERLAP), PIECE - OVERLAP):
            piece = text[base : base + PIECE]
            if any(char.isalpha() for char in piece):
                for start, end, entity in self._within_time(piece):
                    yield Finding(start=base + start, end=base + end, entity=entity)

    def _within_time(self, piece: str) -> list[tuple[int, int, str]]:
        """Analyze in a thread of its own: one that hangs cannot be ended, only left behind."""
        answers: list[Any] = []
        thread = threading.Thread(target=self._analyze, args=(piece, answers), daemon=True)
        thread.start()
        thread.join(self.timeout)
        if not answers:
            raise DetectorFailed(f"names: the analyzer took longer than {self.timeout:g} s")
        if isinstance(answers[0], Exception):
            # Its text may quote what was analyzed.
            raise DetectorFailed(f"names: the analyzer failed with {type(answers[0]).__name__}")
        found: list[tuple[int, int, str]] = answers[0]
        return found

    def _analyze(self, piece: str, answers: list[Any]) -> None:
        try:
            results = self.analyzer(self.model).analyze(piece, self.model[:2], list(_OURS))
            answers.append([(each.start, each.end, _OURS[each.entity_type]) for each in results])
        except Exception as error:  # noqa: BLE001  # whatever it is, the text was not looked at
            answers.append(error)
