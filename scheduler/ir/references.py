"""Names of an IR: what is called what, what refers to what, and what is called twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from scheduler.ir import pointer, words
from scheduler.ir.source import Sourced
from scheduler.model import alike
from scheduler.model.problem import Problem

REFERENCES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "ScoringPipeline": (("/spec/flows/*", "ScoringFlow"),),
    "ScoringFlow": (
        ("/spec/input/schema", "RecordSchema"),
        ("/spec/output/schema", "RecordSchema"),
        ("/spec/steps/*/score/model", "Model"),
    ),
    "Model": (("/spec/inputs/schema", "RecordSchema"), ("/spec/outputs/schema", "RecordSchema")),
    "DataChannel": (("/spec/schema", "RecordSchema"),),
    "RecordSchema": (),
}
"""Kind -> where its documents name a document of which kind. Channels are looked up in the environment as well,
so that a name which the IR does not know is not wrong here."""

UNIQUE: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "ScoringPipeline": (
        ("/spec/flows/*", "flow"),
        ("/spec/env/*/name", "variable"),
    ),
    "ScoringFlow": (("/spec/steps/*/name", "step"),),
}
"""Kind -> names that may stand in one of its documents once only, and what they name."""

Index = Mapping[tuple[str, str], Sourced]
"""(kind, name) -> the first document that is called so."""


def index(documents: Sequence[Sourced]) -> Index:
    found: dict[tuple[str, str], Sourced] = {}
    for sourced in documents:
        if sourced.name:
            found.setdefault((sourced.kind, sourced.name), sourced)
    return found


def problems(documents: Sequence[Sourced], known: Index) -> Iterator[Problem]:
    """Unknown names, names given twice; documents need not fit their schema.

    A document without a known kind may be of any: nobody is told that its name is unknown.
    """
    unclear = {sourced.name for sourced in documents if sourced.kind not in REFERENCES}
    names = {kind: dict.fromkeys(sorted(name for of, name in known if of == kind)) for kind in REFERENCES}
    yield from _doubles(documents, known)
    yield from _parameters(documents)
    for sourced in documents:
        for path, kind in REFERENCES.get(sourced.kind, ()):
            yield from _unknown(sourced, path, kind, names, unclear)
        for path, noun in UNIQUE.get(sourced.kind, ()):
            yield from _repeated(sourced, path, noun)


def only_pipeline(documents: Sequence[Sourced]) -> Iterator[Problem]:
    """An IR has exactly one ScoringPipeline, and it names every flow: a forgotten one would never score anything."""
    pipelines = [sourced for sourced in documents if sourced.kind == "ScoringPipeline"]
    if not pipelines:
        yield Problem(message="no document is a ScoringPipeline; an IR has exactly one")
        return
    for other in pipelines[1:]:
        yield other.problem("this is another ScoringPipeline; an IR has exactly one", pointer="/kind")
    used = {name for sourced in pipelines for _, name in values(sourced.document, "/spec/flows/*")}
    flows = [sourced for sourced in documents if sourced.kind == "ScoringFlow" and sourced.name]
    if not used or not used <= {sourced.name for sourced in flows}:
        return  # a misspelt name of a flow is told where it stands
    for sourced in flows:
        if sourced.name not in used:
            message = f"no pipeline names the flow '{sourced.name}': add it to spec.flows or remove it"
            yield sourced.problem(message, pointer="/metadata/name")


def values(document: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Pointer and value of every text at a path, where `*` is any item of a list; whatever does not fit is left out."""
    yield from _below(document, pointer.split(path), ())


def _below(value: object, path: Sequence[str], at: tuple[str | int, ...]) -> Iterator[tuple[str, str]]:
    if not path:
        if isinstance(value, str):
            yield pointer.join(at), value
    elif path[0] == "*":
        for number, item in enumerate(value if isinstance(value, list | tuple) else ()):
            yield from _below(item, path[1:], (*at, number))
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _below(value[path[0]], path[1:], (*at, path[0]))


def _unknown(
    sourced: Sourced, path: str, kind: str, known: Mapping[str, Mapping[str, None]], unclear: set[str]
) -> Iterator[Problem]:
    for at, name in values(sourced.document, path):
        if name not in known[kind] and name not in unclear:
            message = f"no {kind} is named {words.shown(name)}"
            yield sourced.problem(message, pointer=at, candidates=alike.nearest_first(name, known[kind]))


def _doubles(documents: Sequence[Sourced], known: Index) -> Iterator[Problem]:
    for sourced in documents:
        first = known.get((sourced.kind, sourced.name))
        if first is not None and first is not sourced and sourced.kind != "ScoringPipeline":
            where = _place(first)
            message = f"another {sourced.kind} is named {words.shown(sourced.name)}{where}"
            yield sourced.problem(message, pointer="/metadata/name")


def _place(sourced: Sourced) -> str:
    _, line = sourced.source.locate("/metadata/name")
    return f" ({sourced.source.file}:{line})" if sourced.source.file else ""


def _repeated(sourced: Sourced, path: str, noun: str) -> Iterator[Problem]:
    seen: Counter[str] = Counter()
    for at, name in values(sourced.document, path):
        seen[name] += 1
        if seen[name] > 1:
            yield sourced.problem(f"the {noun} {words.shown(name)} stands here twice", pointer=at)


def _parameters(documents: Sequence[Sourced]) -> Iterator[Problem]:
    """A job sets parameters by name alone, so that a name belongs to one declaration of the whole IR."""
    seen: dict[str, str] = {}
    for sourced in documents:
        if sourced.kind not in {"ScoringPipeline", "ScoringFlow"}:
            continue
        for at, name in values(sourced.document, "/spec/parameters/*/name"):
            if name in seen:
                message = f"the parameter {words.shown(name)} is declared by {seen[name]} already"
                yield sourced.problem(message, pointer=at)
            seen.setdefault(name, f"{sourced.kind} {words.shown(sourced.name)}")
