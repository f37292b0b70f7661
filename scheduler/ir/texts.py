"""Expressions in the texts of an IR: whether they are ones, and whether the names in them are declared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from scheduler import expressions
from scheduler.ir import limits, pointer, references
from scheduler.ir.source import Sourced
from scheduler.model import alike
from scheduler.model.problem import Problem

_STEPS: Final = ("/spec/steps/*/map", "/spec/steps/*/filter")
_DECLARED: Final = "/spec/parameters/*/name"


class _Text(NamedTuple):
    sourced: Sourced
    pointer: str
    text: str
    is_bloblang: bool
    parameters: Collection[str] | None
    """Those that it may name; None: any."""


def problems(documents: Sequence[Sourced], *, is_pipeline: bool = True) -> Iterator[Problem]:
    """All that is wrong with the expressions of steps and channels before a job gives values to parameters.

    Documents need not fit their schema. A step sees the parameters of the pipeline and of its own flow, a channel those
    of the pipeline; without `is_pipeline` there are none: channels that an environment has see no job's parameters.
    """
    yield from islice(_all(documents, is_pipeline=is_pipeline), limits.PROBLEMS + 1)  # more are not told


def _all(documents: Sequence[Sourced], *, is_pipeline: bool) -> Iterator[Problem]:
    left = limits.EXPRESSIONS
    for text in _texts(documents, is_pipeline=is_pipeline):
        left -= expressions.size(text.text)
        if left < 0:
            message = f"more than {limits.EXPRESSIONS // 1024} KiB of expressions in all texts together"
            yield text.sourced.problem(message, pointer=text.pointer)
            return
        yield from _of(text)


def _of(text: _Text) -> Iterator[Problem]:
    names: expressions.Names = {"parameters": text.parameters, "globals": expressions.GLOBALS}
    for fault in expressions.check(text.text, names, bloblang=text.is_bloblang):
        yield text.sourced.problem(fault.message, pointer=text.pointer, candidates=fault.candidates)


def _texts(documents: Sequence[Sourced], *, is_pipeline: bool) -> Iterator[_Text]:
    common = _common(documents, is_pipeline=is_pipeline)
    for sourced in documents:
        if sourced.kind == "ScoringFlow":
            own = _declared(sourced)
            known = None if common is None or own is None else {*common, *own}
            for path in _STEPS:
                for at, text in references.values(sourced.document, path):
                    yield _Text(sourced, at, text, is_bloblang=True, parameters=known)
        elif sourced.kind == "DataChannel":
            for at, text in _config(sourced):
                yield _Text(sourced, at, text, is_bloblang=False, parameters=common)


def _common(documents: Sequence[Sourced], *, is_pipeline: bool) -> Collection[str] | None:
    """The pipeline's parameters; None when it is not known which document is the pipeline."""
    pipelines = [sourced for sourced in documents if sourced.kind == "ScoringPipeline"]
    if len(pipelines) != 1:
        return None if is_pipeline else ()
    return _declared(pipelines[0])


def _declared(sourced: Sourced) -> Collection[str] | None:
    """Names of the parameters; None when they may stand at a misspelt key, which is told as that."""
    spec = sourced.document.get("spec")
    if not isinstance(spec, Mapping) or ("parameters" not in spec and alike.close("parameters", spec)):
        return None
    return {name for _, name in references.values(sourced.document, _DECLARED)}


def _config(sourced: Sourced) -> Iterator[tuple[str, str]]:
    spec = sourced.document.get("spec")
    config = spec.get("config") if isinstance(spec, Mapping) else None
    for key, text in config.items() if isinstance(config, Mapping) else ():
        if isinstance(text, str):
            yield pointer.join(["spec", "config", key]), text
