"""All stages over all documents of an IR. Each looks at whatever the ones before left whole.

So one mistake neither hides another nor causes a second complaint.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from scheduler.ir import build, content, credentials, ends, fields, not_built, references, schema, texts, words
from scheduler.ir.source import Sourced
from scheduler.model.pipeline import DataChannel, Model, RecordSchema, ScoringFlow
from scheduler.model.problem import Problem

_Built = TypeVar("_Built")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the documents hold as far as it could be built, and every problem."""

    whole: tuple[Sourced, ...]
    """Documents that fit their schema, but for keys too many."""
    problems: tuple[Problem, ...]
    schemas: Mapping[str, RecordSchema] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    channels: Mapping[str, DataChannel] = field(default_factory=dict)
    flows: Mapping[str, ScoringFlow] = field(default_factory=dict)


def documents(
    given: Sequence[Sourced],
    *,
    is_complete: bool = True,
    is_pipeline: bool = True,
    model_types: Collection[str] | None = not_built.MODEL_TYPES,
) -> Checked:
    """Check all documents. Names are not looked up when the documents are not complete: some may stand in what could
    not be read. Without `is_pipeline` there need be no ScoringPipeline. Models are of `model_types`, None: of any.
    """
    problems: list[Problem] = []
    whole: list[Sourced] = []
    for sourced in given:
        found, is_whole = _one(sourced, model_types)
        problems += found
        if is_whole:
            whole.append(sourced)
    if is_complete:
        problems += references.problems(given, references.index(given))
        problems += references.only_pipeline(given) if is_pipeline else ()
        problems += texts.problems(given, is_pipeline=is_pipeline)
    built = _build(tuple(whole))
    return Checked(
        whole=tuple(whole),
        problems=(*problems, *_flow_problems(built), *_end_problems(built)),
        schemas=built.schemas,
        models=built.models,
        channels=built.channels,
        flows=built.flows,
    )


def _one(sourced: Sourced, model_types: Collection[str] | None) -> tuple[list[Problem], bool]:
    problems: list[Problem] = []
    reported: set[str] = set()
    for problem, covered in (*not_built.problems(sourced, model_types=model_types), *credentials.problems(sourced)):
        problems.append(problem)
        reported.update(covered)
    checked = schema.check(sourced, reported=frozenset(reported))
    inner = list(content.problems(sourced))
    return [*problems, *checked.problems, *inner], checked.is_whole and not inner


def _build(whole: tuple[Sourced, ...]) -> Checked:
    known = references.index(whole)
    schemas = _of_kind(known, "RecordSchema", build.record_schema)
    return Checked(
        whole=whole,
        problems=(),
        schemas=schemas,
        models=_of_kind(known, "Model", lambda document: build.model(document, schemas), schemas),
        channels=_of_kind(known, "DataChannel", lambda document: build.data_channel(document, schemas), schemas),
        flows=_of_kind(known, "ScoringFlow", lambda document: build.flow(document, schemas), schemas),
    )


def _of_kind(
    known: references.Index,
    kind: str,
    make: Callable[[Mapping[str, object]], _Built],
    schemas: Mapping[str, RecordSchema] | None = None,
) -> dict[str, _Built]:
    """Values of one kind by name; without those that refer to a record schema which could not be built."""
    return {
        name: make(sourced.document)
        for (of_kind, name), sourced in known.items()
        if of_kind == kind and (schemas is None or _schemas_of(sourced) <= schemas.keys())
    }


def _schemas_of(sourced: Sourced) -> set[str]:
    return {
        name
        for path, kind in references.REFERENCES[sourced.kind]
        if kind == "RecordSchema"
        for _, name in references.values(sourced.document, path)
    }


def _flow_problems(built: Checked) -> Iterator[Problem]:
    for sourced in built.whole:
        flow = built.flows.get(sourced.name) if sourced.kind == "ScoringFlow" else None
        for fault in fields.faults(flow, built.models) if flow is not None else ():
            yield sourced.problem(fault.message, pointer=fault.pointer, candidates=fault.candidates)


def _end_problems(built: Checked) -> Iterator[Problem]:
    for sourced in built.whole:
        if sourced.kind == "ScoringPipeline":
            for fault in ends.faults(sourced.document, flows=built.flows, channels=built.channels):
                yield sourced.problem(fault.message, pointer=fault.pointer, candidates=fault.candidates)


def only_channels(given: Sequence[Sourced]) -> Iterator[Problem]:
    """What is registered as data channels is DataChannels and the RecordSchemas that they name, nothing else."""
    kinds = ("DataChannel", "RecordSchema")
    if not any(sourced.kind == "DataChannel" for sourced in given):
        yield Problem(message="no document is a DataChannel")
    for sourced in given:
        if sourced.kind in schema.FILES and sourced.kind not in kinds:
            message = f"a {sourced.kind} cannot stand here, only {words.either(kinds)}"
            yield sourced.problem(message, pointer="/kind")
