"""Libraries alone: what a program without any server does with the same model and rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path


def pmml_loop(
    file: Path, rows: Sequence[Sequence[float]], *, output: str = "probability_1"
) -> Callable[[], list[float]]:
    """PMML4S called row by row through JPype, as one would do it first: a call gives the output of every row."""
    import jpype

    from scheduler.serving.runners import jvm

    jvm.start()
    model = jpype.JClass("org.pmml4s.model.Model").fromFile(str(file))
    index = [str(name) for name in model.outputNames()].index(output)
    objects = jpype.JArray(jpype.JClass("java.lang.Object"))
    double = jpype.JClass("java.lang.Double")

    def loop() -> list[float]:
        return [float(model.predict(objects([double(value) for value in row]))[index]) for row in rows]

    return loop
