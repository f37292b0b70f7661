"""A flow in plain Python, written from its description alone: nothing of the product is imported here.

Every row comes to one end. What the real thing must give for a whole source is in `Expected`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

POISON: Final = 13.0
"""The scoring service refuses rows with this x; it gives x doubled for the others, and null for null."""
FIELDS: Final = ("id", "x", "name", "p")

Record = Any
"""A dictionary; anything else is what a mapping left instead of a record."""


class StepError(Exception):
    """A step cannot work with the record."""


class Deleted:
    """What a mapping gives for a record that it takes away."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One record of a source."""

    raw: bytes
    """Its text without the line end."""
    record: Mapping[str, Any] | None
    """Decoded; None when it cannot be."""
    original: Any
    """What a dead letter shows of it."""
    fault: str = ""
    """Words of the decoder's message."""


@dataclass(frozen=True, kw_only=True)
class Step:
    name: str
    kind: str
    """map | filter | score"""
    text: str = ""
    """Bloblang."""
    apply: Callable[[Record], Any] = lambda record: record
    on_error: str = "dead-letter"


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    step: str
    position: int
    line: int
    record: Any
    words: str


@dataclass(kw_only=True)
class Expected:
    read: int = 0
    written: list[dict[str, Any]] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    dropped: int = 0
    filtered: int = 0
    failed: set[tuple[str, int, int]] = field(default_factory=set)
    """(step, position, line) of every record that ends a flow."""

    def reasons(self, *, max_ratio: float | None) -> set[str]:
        """How the flow may end; more than one when it depends on which record is met first. None: no dead letters."""
        allowed = 0.0 if max_ratio is None else max_ratio
        reasons = {"RecordFailed"} if self.failed else set()
        if self.dead and len(self.dead) > allowed * self.read:
            reasons.add("TooManyDeadLetters")
        return reasons or {"Completed"}


def expect(rows: Sequence[tuple[int, Row]], steps: Sequence[Step]) -> Expected:
    """What becomes of each (line, row)."""
    expected = Expected(read=len(rows))
    for position, (line, row) in enumerate(rows, start=1):
        step, on_error, words = "decode", "dead-letter", row.fault
        try:
            if row.record is None:
                raise StepError(row.fault)
            record: Record = dict(row.record)
            for each in steps:
                step, on_error, words = f"f.{each.name}", each.on_error, ""
                record = _applied(each, record)
            step, on_error = "encode", "dead-letter"
            expected.written.append(_encoded(record))
        except Deleted_:
            expected.filtered += 1
        except StepError as error:
            if on_error == "drop":
                expected.dropped += 1
            elif on_error == "fail":
                expected.failed.add((step, position, line))
            else:
                shown = words or str(error)
                expected.dead.append(
                    DeadLetter(step=step, position=position, line=line, record=row.original, words=shown)
                )
    return expected


class Deleted_(Exception):  # noqa: N801, N818 - the way out of a flow, not an error
    """A record was filtered."""


def _applied(step: Step, record: Record) -> Record:
    if step.kind == "filter":
        if step.apply(record) is not True:
            raise Deleted_
        return record
    if step.kind == "score":
        return _scored(record)
    result = step.apply(record)
    if result is Deleted:
        raise Deleted_
    return result


def _scored(record: Record) -> Record:
    if not isinstance(record, dict):
        raise StepError("it is not a record")
    x = record.get("x")
    if x is not None and (isinstance(x, bool | str) or not math.isfinite(x)):
        raise StepError("input x")
    if x == POISON:
        raise StepError("")
    return {**record, "p": None if x is None else float(x) * 2}


def _encoded(record: Record) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise StepError("the steps left a value that is no record")
    if "id" not in record:
        raise StepError("id is missing")
    if isinstance(record["id"], str) or record["id"] is None:
        raise StepError("id: ")
    x = record.get("x")
    if x is not None and not math.isfinite(x):
        raise StepError("x: ")
    return {name: record[name] for name in FIELDS if name in record}


def number(value: Any) -> Any:
    if isinstance(value, bool | str) or value is None:
        raise StepError("types")
    return value


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise StepError("string")
    return value


def remainder(left: Any, right: int) -> int:
    """Of a division that rounds to zero."""
    return int(math.copysign(abs(number(left)) % right, left))


def wrapped(value: int) -> int:
    """As 64 bits hold it."""
    return (value + 2**63) % 2**64 - 2**63


def _divided(record: Record) -> Record:
    by = remainder(record.get("id"), 3)
    if by == 0:
        number(record.get("x"))
        raise StepError("divide by zero")
    return {**record, "x": number(record.get("x")) / by}


def _thrown(record: Record) -> Record:
    if remainder(record.get("id"), 7) == 3:
        raise StepError("seven")
    return record


def _refused(_: Record) -> Record:
    raise StepError("never")


def _without(record: Record, name: str) -> Record:
    return {key: value for key, value in record.items() if key != name}


MAPS: Final[Mapping[str, Callable[[Record], Any]]] = {
    "root = this": lambda r: r,
    "root = this\nroot.x = this.x * 2": lambda r: {**r, "x": number(r.get("x")) * 2},
    "root = this\nroot.x = this.x + this.id": lambda r: {**r, "x": number(r.get("x")) + number(r.get("id"))},
    "root = this\nroot.x = this.x / (this.id % 3)": _divided,
    "root = this\nroot.id = this.id + 1": lambda r: {**r, "id": wrapped(number(r.get("id")) + 1)},
    "root = this\nroot.name = this.name.uppercase()": lambda r: {**r, "name": text(r.get("name")).upper()},
    'root = this\nroot.name = this.name.or("none")': lambda r: {
        **r,
        "name": "none" if r.get("name") is None else r["name"],
    },
    'root = this\nroot.name = this.name + "\\n\\"!,"': lambda r: {**r, "name": text(r.get("name")) + '\n"!,'},
    "root = if this.id % 5 == 0 { deleted() } else { this }": lambda r: Deleted if remainder(r["id"], 5) == 0 else r,
    'root = if this.id % 7 == 3 { throw("seven") } else { this }': _thrown,
    "root = this\nroot.x = null": lambda r: {**r, "x": None},
    "root = this\nroot.name = deleted()": lambda r: _without(r, "name"),
    'root = throw("never")': _refused,
}
"""Bloblang -> the same in Python."""

LAST_MAPS: Final[Mapping[str, Callable[[Record], Any]]] = {
    "root = this.id": lambda r: r.get("id"),
    'root = this\nroot.id = "x"': lambda r: {**r, "id": "x"},
    "root = this\nroot.id = deleted()": lambda r: _without(r, "id"),
}
"""What leaves no record behind that fits, so that only the encoder can follow."""

FILTERS: Final[Mapping[str, Callable[[Record], Any]]] = {
    "true": lambda _: True,
    "false": lambda _: False,
    "this.id % 2 == 0": lambda r: remainder(r["id"], 2) == 0,
    "this.x > 2": lambda r: number(r.get("x")) > 2,
    "this.x != null && this.x > 2": lambda r: r.get("x") is not None and r["x"] > 2,
    'this.name.contains("a")': lambda r: "a" in text(r.get("name")),
    "this.x": lambda r: r.get("x"),
    "deleted()": lambda _: Deleted,
    'throw("never")': _refused,
}
