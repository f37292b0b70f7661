"""A linear model: a CSV with the columns `input,coefficient`, and a row `(intercept)`."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

INTERCEPT = "(intercept)"


class RefusedError(Exception):
    """The file is no model, or not one with these inputs."""


@dataclass(frozen=True)
class Linear:
    coefficients: Mapping[str, float]
    intercept: float

    def score(self, row: Mapping[str, float]) -> float:
        terms = [self.coefficients[name] * row[name] for name in self.coefficients]
        return math.fsum([self.intercept, *terms])


def parse(text: str, *, inputs: Sequence[str]) -> Linear:
    """The model in `text`; RefusedError names the line, or the inputs that differ from those of the signature."""
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or rows[0] != ["input", "coefficient"]:
        raise RefusedError("line 1: the header must be 'input,coefficient'")
    found: dict[str, float] = {}
    for number, row in enumerate(rows[1:], start=2):
        try:
            name, value = row[0], float(row[1])
        except (IndexError, ValueError) as error:
            raise RefusedError(f"line {number}: {','.join(row)!r} is not a name and a number") from error
        if len(row) != 2 or name in found or not math.isfinite(value):
            raise RefusedError(f"line {number}: {','.join(row)!r} is not one more name and a finite number")
        found[name] = value
    intercept = found.pop(INTERCEPT, 0.0)
    if sorted(found) != sorted(inputs):
        raise RefusedError(f"the model has coefficients of {sorted(found)}, its input schema has {sorted(inputs)}")
    return Linear(coefficients=found, intercept=intercept)
