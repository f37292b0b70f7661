"""Whether records of one schema can be taken for those of another: one rule for loading and for looking channels up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from scheduler.model.pipeline import Field, FieldType

_WIDER: Final[Mapping[FieldType, frozenset[FieldType]]] = {
    FieldType.INT32: frozenset({FieldType.INT64, FieldType.FLOAT, FieldType.DOUBLE}),
    FieldType.INT64: frozenset({FieldType.FLOAT, FieldType.DOUBLE}),
    FieldType.FLOAT: frozenset({FieldType.DOUBLE}),
    FieldType.DOUBLE: frozenset({FieldType.FLOAT}),
    FieldType.DATE: frozenset({FieldType.STRING}),
    FieldType.DATE_TIME: frozenset({FieldType.STRING}),
}
"""What a value of a type may also stand for. double → float rounds, as every scoring library does."""


def fits(given: FieldType, wanted: FieldType) -> bool:
    """Whether every value of `given` can be taken as a value of `wanted`."""
    return given == wanted or wanted in _WIDER.get(given, frozenset())


def differences(given: Sequence[Field], wanted: Sequence[Field], *, path: str = "") -> Iterator[str]:
    """Why records with the fields `given` are not what `wanted` asks for, a sentence each.

    More fields do no harm, and a field that is not required may be missing.
    """
    there = {each.name: each for each in given}
    for want in wanted:
        name = f"{path}{want.name}"
        have = there.get(want.name)
        if have is None:
            if want.required:
                yield f"'{name}' is missing"
        elif not fits(have.type, want.type):
            yield f"'{name}' is {have.type}, not {want.type}"
        else:
            if have.nullable and not want.nullable:
                yield f"'{name}' may be null"
            yield from differences(have.properties, want.properties, path=f"{name}.")
            if have.items is not None and want.items is not None:
                item = f"{name}[]"
                yield from differences([replace(have.items, name=item)], [replace(want.items, name=item)])
