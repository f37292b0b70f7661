"""Each document against the JSON Schema of its kind; what the validator finds is told in the reader's words.

The only module that knows jsonschema.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jsonschema
from jsonschema import exceptions, validators

from scheduler import assets
from scheduler.ir import limits, pointer, schema_words, words
from scheduler.ir.source import Sourced
from scheduler.model import alike
from scheduler.model.problem import Problem

FILES: Final[Mapping[str, str]] = {
    "ScoringPipeline": "scoring-pipeline.schema.json",
    "ScoringFlow": "scoring-flow.schema.json",
    "Model": "model.schema.json",
    "RecordSchema": "record-schema.schema.json",
    "DataChannel": "data-channel.schema.json",
}
"""Kind of document -> file in `ir-schemas/v1`."""


def of_kind(kind: str) -> Mapping[str, Any]:
    """The JSON Schema of a kind, as its file has it."""
    loaded: Mapping[str, Any] = json.loads((assets.ir_schemas() / FILES[kind]).read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the schema says of one document."""

    problems: tuple[Problem, ...]
    is_whole: bool
    """True when everything known is there and of the right form: unknown keys do not keep it from being built."""


def check(sourced: Sourced, *, reported: frozenset[str] = frozenset()) -> Checked:
    """Every fault of one document; none at or below the pointers in `reported`, where something better was said."""
    if sourced.kind not in FILES:
        return Checked(problems=(_unknown_kind(sourced),), is_whole=False)
    problems: list[Problem] = []
    is_whole = True
    for error in _validator(sourced.kind).iter_errors(sourced.document):
        is_whole = is_whole and error.validator == "additionalProperties"
        problems.extend(
            sourced.problem(finding.message, pointer=pointer.join(finding.path), candidates=finding.candidates)
            for finding in schema_words.findings(_error(error))
            if not _is_reported(finding.path, reported)
        )
        if len(problems) > limits.PROBLEMS:
            is_whole = False
            break
    return Checked(problems=tuple(problems), is_whole=is_whole)


def _error(error: exceptions.ValidationError) -> schema_words.Error:
    path = tuple(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        path = (*path, str(error.instance))  # the name is what breaks the rule, and no part of the validator's path
    return schema_words.Error(
        keyword=str(error.validator),
        wanted=error.validator_value,
        instance=error.instance,
        schema=error.schema if isinstance(error.schema, Mapping) else {},
        path=path,
        message=error.message,
    )


def _unknown_kind(sourced: Sourced) -> Problem:
    if "kind" not in sourced.document:
        return sourced.problem("'kind' is missing", candidates=tuple(FILES))
    kind = sourced.document["kind"]
    message = f"{words.shown(kind)} is no kind of document"
    return sourced.problem(message, pointer="/kind", candidates=alike.nearest_first(kind, FILES))


def _is_reported(path: Sequence[str | int], reported: frozenset[str]) -> bool:
    return bool(reported) and any(pointer.join(path[:length]) in reported for length in range(1, len(path) + 1))


_LONGEST: Final = 1_000
"""No pattern of ours fits longer text, and matching some of them against 4 MiB of it would cost hundreds."""


def _pattern(_validator: object, pattern: str, instance: object, schema: Mapping[str, Any]) -> Iterator[Any]:
    if isinstance(instance, str) and (len(instance) > _LONGEST or _compiled(pattern).search(instance) is None):
        yield exceptions.ValidationError(schema.get("x-words", f"text that fits {pattern}"))


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # In JSON Schema (ECMA 262) `$` is the end of the text; Python's also stands before a last line feed.
    return re.compile(re.sub(r"\$$", r"\\Z", pattern))


_READER: Final = validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {"pattern": _pattern}
)


@functools.cache
def _validator(kind: str) -> jsonschema.protocols.Validator:
    schema = of_kind(kind)
    compiled = {**_inlined(schema, schema["$defs"]), "$defs": schema["$defs"]}
    validator: jsonschema.protocols.Validator = _READER(compiled)
    return validator


_ANNOTATIONS: Final = frozenset({"$defs", "default", "description", "examples", "title"})


def _inlined(value: Any, definitions: Mapping[str, Any], within: frozenset[str] = frozenset()) -> Any:
    """The schema with each definition in the place that refers to it, but for those that refer to themselves.

    Following references took a third of the time; what only people read is left out as well.
    """
    if isinstance(value, list):
        return [_inlined(item, definitions, within) for item in value]
    if not isinstance(value, Mapping):
        return value
    reference = value.get("$ref", "")
    name = reference.rpartition("/")[2]
    if name and name not in within:
        value = {**definitions[name], **{key: below for key, below in value.items() if key != "$ref"}}
        within = within | {name}
    # under `properties` the keys are names of the document, not keywords
    return {
        key: {name: _inlined(below, definitions, within) for name, below in given.items()}
        if key == "properties" and isinstance(given, Mapping)
        else _inlined(given, definitions, within)
        for key, given in value.items()
        if key not in _ANNOTATIONS
    }
