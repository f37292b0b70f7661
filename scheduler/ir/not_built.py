"""What the design names and nobody has built yet: refused by name, never ignored, never called a spelling mistake."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.ir import pointer, words
from scheduler.ir.source import Sourced
from scheduler.model import alike
from scheduler.model.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A place whose value chooses between things, some of which are not there yet."""

    noun: str
    path: tuple[str, ...]
    built: tuple[str, ...]
    later: tuple[str, ...]
    with_it: tuple[str, ...] = ()
    """Pointers of what cannot be checked without knowing the thing."""


WORDS: Final[Mapping[str, tuple[Word, ...]]] = {
    "ScoringPipeline": (
        Word(noun="mode", path=("spec", "mode"), built=("batch", "streaming"), later=("request-response",)),
    ),
    "DataChannel": (
        Word(
            noun="channel type",
            path=("spec", "type"),
            built=("file", "test"),
            later=("kafka", "rest", "jdbc"),
            with_it=("/spec/config",),
        ),
        Word(
            noun="file format",
            path=("spec", "config", "format"),
            built=("csv", "json-lines"),
            later=("parquet", "avro", "json", "xml"),
        ),
        Word(
            noun="compression",
            path=("spec", "config", "compression"),
            built=("none", "gzip"),
            later=("zstd", "bzip2", "lz4", "snappy"),
        ),
    ),
}
"""By kind. A test compares `built` with the enumerations of the schemas."""

MODEL_TYPES: Final = ("pmml", "python-script", "python-binary")
"""Those that the project has scoring servers for; a test compares them with the sub-charts."""
MODEL_TYPES_LATER: Final = ("tensorflow-saved-model", "tensorflow-graph", "statistica-pmml", "statistica-c", "onnx")

STEPS_BUILT: Final = ("map", "filter", "score")
STEPS_LATER: Final = ("route", "python", "split", "fold", "aggregate", "join", "window", "deduplicate", "monitor")


def problems(
    sourced: Sourced, *, model_types: Collection[str] | None = MODEL_TYPES
) -> Iterator[tuple[Problem, tuple[str, ...]]]:
    """Each refusal, with the pointers at and below which the schema has nothing to add.

    `model_types` are those that scoring servers support, whoever built them; None: another knows them.
    """
    for word in WORDS.get(sourced.kind, ()):
        value = _at(sourced.document, word.path)
        if isinstance(value, str) and value in word.later:
            at = pointer.join(word.path)
            message = f"{word.noun} '{value}' is not built yet (built: {words.either(word.built)})"
            yield sourced.problem(message, pointer=at), (at, *word.with_it)
    if sourced.kind == "ScoringFlow":
        yield from _steps(sourced)
    if sourced.kind == "Model" and model_types is not None:
        yield from _model_type(sourced, model_types)


def _model_type(sourced: Sourced, known: Collection[str]) -> Iterator[tuple[Problem, tuple[str, ...]]]:
    value = _at(sourced.document, ("spec", "type"))
    if not isinstance(value, str) or value in known or not names.is_name(value):
        return
    if value in MODEL_TYPES_LATER:
        message = f"model type '{value}' is not built yet (built: {words.either(tuple(known))})"
        yield sourced.problem(message, pointer="/spec/type"), ("/spec/type",)
    else:
        message = f"no scoring server supports model type '{value}'"
        candidates = tuple(alike.nearest_first(value, list(known)))
        yield sourced.problem(message, pointer="/spec/type", candidates=candidates), ("/spec/type",)


def _steps(sourced: Sourced) -> Iterator[tuple[Problem, tuple[str, ...]]]:
    steps = _at(sourced.document, ("spec", "steps"))
    for index, step in enumerate(steps if isinstance(steps, list | tuple) else ()):
        later = [kind for kind in STEPS_LATER if isinstance(step, Mapping) and kind in step]
        for kind in later:
            message = f"step '{kind}' is not built yet (built: {words.either(STEPS_BUILT)})"
            problem = sourced.problem(message, pointer=pointer.join(["spec", "steps", index, kind]))
            yield problem, (pointer.join(["spec", "steps", index]),)


def _at(value: object, path: tuple[str, ...]) -> object:
    """What stands at the path, None when nothing does: documents are not checked yet."""
    for part in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value
