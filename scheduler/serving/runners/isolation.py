"""Which rows of a failing batch are at fault: halve it until the bad rows stand alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from scheduler.serving import faults
from scheduler.serving.columns import Array
from scheduler.serving.faults import RowFault

Result = TypeVar("Result")


def predict(execute: Callable[[Array], Result], matrix: Array) -> Result:
    """What `execute` gives for all rows of `matrix`; when it raises, RequestRefusedError that names each bad row.

    A model's own code may raise anything, and is called again with parts of the batch: it must be a function of its
    rows and nothing else. MemoryError is not a row's fault and is passed on.
    """
    try:
        return execute(matrix)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a model's code may raise whatever it likes
        bad = _search(execute, matrix, 0, error)
    if not bad:
        raise faults.of_rows(
            [
                RowFault(index=row, message="the model fails on the batch, but on no part of it")
                for row in range(len(matrix))
            ],
            count=len(matrix),
        )
    raise faults.of_rows(bad, count=len(matrix))


def _search(execute: Callable[[Array], object], matrix: Array, offset: int, error: Exception) -> list[RowFault]:
    if len(matrix) == 1:
        return [RowFault(index=offset, message=f"{type(error).__name__}: {error}")]
    half = len(matrix) // 2
    bad: list[RowFault] = []
    for start, part in ((0, matrix[:half]), (half, matrix[half:])):
        try:
            execute(part)
        except MemoryError:
            raise
        except Exception as failure:  # noqa: BLE001 - as above
            bad += _search(execute, part, offset + start, failure)
    return bad
