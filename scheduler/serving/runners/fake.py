"""A runner without a model, for tests of the server: adds up the numbers of a row and fails where it is told to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scheduler.serving import columns as columns_
from scheduler.serving.columns import Array, Columns
from scheduler.serving.faults import ModelRefusedError
from scheduler.serving.runners import isolation
from scheduler.serving.runners.port import Results
from scheduler.serving.signature import Signature

BROKEN = b"broken"
"""Content of a file that `load` refuses."""
POISON = 666.0
"""A value that makes a row fail."""


class FakeRunner:
    """Every output is the sum of the row's inputs; a row with a missing value gives none."""

    platform = "fake"

    def __init__(self, *, signature: Signature, seconds: float = 0.0, rows_alone: bool = True) -> None:
        self._names = [tensor.name for tensor in signature.inputs]
        self._seconds = seconds
        self.rows_alone = rows_alone
        self.calls: list[int] = []
        """Rows of each call."""
        self.is_closed = False

    def predict(self, columns: Columns, *, outputs: Sequence[str]) -> Results:
        self.calls.append(len(columns[self._names[0]].values))
        time.sleep(self._seconds)
        total = isolation.predict(_sums, columns_.matrix(columns, self._names))
        return dict.fromkeys(outputs, total)

    def close(self) -> None:
        self.is_closed = True


def load(path: Path, *, signature: Signature) -> FakeRunner:
    if path.read_bytes() == BROKEN:
        raise ModelRefusedError("the file is broken")
    return FakeRunner(signature=signature)


def _sums(matrix: Array) -> Array:
    if (matrix == POISON).any():
        raise ValueError(f"{POISON} is poison")
    return np.asarray(matrix.sum(axis=1))
