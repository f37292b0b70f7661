"""What a JSON Schema cannot say of one document: names within it, values that depend on others, ranges of durations.

Documents need not fit their schema: what has the wrong form was reported by then and is passed over here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from scheduler.ir import pointer, references, words
from scheduler.ir.source import Sourced
from scheduler.model import alike, duration
from scheduler.model.problem import Problem

LONGEST_DEADLINE_SECONDS: Final = 30 * 24 * 3600
LONGEST_PERIOD_MILLISECONDS: Final = 60_000
GENERATOR: Final = ("seed", "count", "rate", "badShare")
"""Configuration of a test source, and of no other channel."""


def problems(sourced: Sourced) -> Iterator[Problem]:
    """Every such fault of the document."""
    for check in _CHECKS.get(sourced.kind, ()):
        yield from check(sourced)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _items(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _deadlines(sourced: Sourced) -> Iterator[Problem]:
    given = _mapping(_mapping(sourced.document.get("spec")).get("deadlines"))
    for phase, text in given.items():
        if _milliseconds(text) is None:
            continue
        at = pointer.join(["spec", "deadlines", phase])
        try:
            if duration.seconds(text) > LONGEST_DEADLINE_SECONDS:
                yield sourced.problem(f"{words.shown(text)} is more than '30d'", pointer=at)
        except ValueError as error:
            yield sourced.problem(f"{words.shown(text)}: {error}", pointer=at)


def _milliseconds(text: object) -> int | None:
    try:
        return duration.milliseconds(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _periods(sourced: Sourced) -> Iterator[Problem]:
    for at, text in references.values(sourced.document, "/spec/steps/*/score/batch/period"):
        milliseconds = _milliseconds(text)
        if milliseconds is not None and not 1 <= milliseconds <= LONGEST_PERIOD_MILLISECONDS:
            yield sourced.problem(f"{words.shown(text)} is not between '1ms' and '1m'", pointer=at)


def _different_sinks(sourced: Sourced) -> Iterator[Problem]:
    sinks = [name for _, name in references.values(sourced.document, "/spec/sink/channel")]
    for at, name in references.values(sourced.document, "/spec/deadLetters/channel"):
        if name in sinks:
            yield sourced.problem(f"{words.shown(name)} is the sink already: dead letters need their own", pointer=at)


_FITS: Final[Mapping[str, Callable[[object], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
}


def _parameters(sourced: Sourced) -> Iterator[Problem]:
    declared = _items(_mapping(sourced.document.get("spec")).get("parameters"))
    for number, given in enumerate(map(_mapping, declared)):
        fits = _FITS.get(str(given.get("type")))
        if fits is None:
            continue
        wanted = words.type_name(str(given["type"]))
        allowed = _items(given.get("enum"))
        for index, value in enumerate(allowed):
            if not fits(value):
                at = pointer.join(["spec", "parameters", number, "enum", index])
                yield sourced.problem(f"{words.shown(value)} is not {wanted}", pointer=at)
        default = given.get("default")
        if default is None or isinstance(default, Mapping | list | tuple):
            continue
        at = pointer.join(["spec", "parameters", number, "default"])
        if not fits(default):
            yield sourced.problem(f"the default {words.shown(default)} is not {wanted}", pointer=at)
        elif allowed and default not in allowed:
            candidates = alike.nearest_first(default, [str(value) for value in allowed])
            message = f"the default {words.shown(default)} is not in 'enum'"
            yield sourced.problem(message, pointer=at, candidates=candidates)


def _record_fields(sourced: Sourced) -> Iterator[Problem]:
    spec = _mapping(sourced.document.get("spec"))
    known = _mapping(spec.get("properties"))
    yield from _unknown_fields(sourced, spec, ("spec",))
    ordered = _items(spec.get("order"))
    for number, name in enumerate(ordered):
        if isinstance(name, str) and name not in known:
            yield _no_field(sourced, name, known, ("spec", "order", number))
    missing = [name for name in known if name not in ordered] if ordered else []
    if missing:
        message = f"'order' names every field or is left out; {words.either(missing[:8], last='and')}"
        yield sourced.problem(f"{message} {'is' if len(missing) == 1 else 'are'} missing", pointer="/spec/order")


def _unknown_fields(sourced: Sourced, given: Mapping[str, Any], at: tuple[str | int, ...]) -> Iterator[Problem]:
    known = _mapping(given.get("properties"))
    for number, name in enumerate(_items(given.get("required"))):
        if isinstance(name, str) and name not in known:
            yield _no_field(sourced, name, known, (*at, "required", number))
    for name, below in known.items():
        yield from _unknown_fields(sourced, _mapping(below), (*at, "properties", name))
    if isinstance(given.get("items"), Mapping):
        yield from _unknown_fields(sourced, given["items"], (*at, "items"))


def _no_field(sourced: Sourced, name: object, known: Mapping[str, Any], at: tuple[str | int, ...]) -> Problem:
    candidates = alike.nearest_first(name, known)
    return sourced.problem(f"there is no field {words.shown(name)}", pointer=pointer.join(at), candidates=candidates)


def _version_of_sink(sourced: Sourced) -> Iterator[Problem]:
    spec = _mapping(sourced.document.get("spec"))
    if "dataVersion" in spec and spec.get("direction") == "sink":
        yield sourced.problem("only a source has a data version", pointer="/spec/dataVersion")


def _followed(sourced: Sourced) -> Iterator[Problem]:
    spec = _mapping(sourced.document.get("spec"))
    config = _mapping(spec.get("config"))
    if config.get("follow") is not True:
        return
    if spec.get("direction") == "sink":
        yield sourced.problem("only a source is followed", pointer="/spec/config/follow")
    if config.get("compression") == "gzip":
        message = "a gzip file cannot be followed: it can be read only when it is closed"
        yield sourced.problem(message, pointer="/spec/config/follow")


def _generated(sourced: Sourced) -> Iterator[Problem]:
    spec = _mapping(sourced.document.get("spec"))
    if spec.get("direction") == "sink" and spec.get("type") == "test":
        for key in _mapping(spec.get("config")):
            if key in GENERATOR:
                message = f"only a source has '{key}': a test sink checks and has nothing to be told"
                yield sourced.problem(message, pointer=pointer.join(["spec", "config", key]))


_CHECKS: Final[Mapping[str, tuple[Callable[[Sourced], Iterator[Problem]], ...]]] = {
    "ScoringPipeline": (_deadlines, _different_sinks, _parameters),
    "ScoringFlow": (_periods, _parameters),
    "RecordSchema": (_record_fields,),
    "DataChannel": (_version_of_sink, _followed, _generated),
}
