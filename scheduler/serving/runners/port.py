"""The port between the server and a model's execution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from scheduler.serving.columns import Array, Columns
from scheduler.serving.signature import Signature

Results: TypeAlias = Mapping[str, Array]
"""Output name -> one value a row, in whatever type the model gives; None or NaN where it gives none."""


class Runner(Protocol):
    """One loaded model. Called by one thread at a time."""

    @property
    def platform(self) -> str:
        """What executes it, for the model's metadata: `sklearn_joblib`, `python_script`, `pmml_pmml4s`."""
        ...

    @property
    def rows_alone(self) -> bool:
        """Whether a row's results are the same to the last bit whatever rows stand beside it.

        Requests may then be scored together. No when in doubt: a product of matrices is not.
        """
        ...

    def predict(self, columns: Columns, *, outputs: Sequence[str]) -> Results:
        """Score all rows; `outputs` are names of the model's signature.

        RequestRefusedError with `rows` when single rows fail (the caller sends the others again).
        """
        ...

    def close(self) -> None:
        """Give back what the model holds; it is not called again."""
        ...


class Load(Protocol):
    """Makes a runner of a file whose digest was checked; ModelRefusedError says why it cannot."""

    def __call__(self, path: Path, *, signature: Signature) -> Runner: ...
