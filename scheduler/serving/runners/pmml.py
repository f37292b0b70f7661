"""`pmml`: PMML4S in this process. A batch goes to Java in one call and its results come back in one call an output.

Nothing is compiled for that: `Model.predict(Object): Object[]` and the getter of an array's element become Java
functions by method handles, and a Java stream maps the batch through them. Measured with 100 trees of depth 3 and 12
columns: 23 µs a row, of which PMML4S itself takes 22; one JPype call a row costs 30 to 57 µs, a JSON text a batch 32.

Which output of the document is meant by an output of the signature, first that fits:
- the one of the same name in the document's own <Output>;
- `probability`: the probability of the positive class (the second of two);
- `probability_<class>`: the probability of that class;
- any other name: the predicted value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jpype
import numpy as np

from scheduler.model.job import Reason
from scheduler.model.tensors import Tensor
from scheduler.serving import columns as columns_
from scheduler.serving import faults
from scheduler.serving.columns import Array, Columns
from scheduler.serving.faults import ModelRefusedError, RowFault
from scheduler.serving.runners import jvm, pmml_document
from scheduler.serving.runners.port import Results
from scheduler.serving.signature import Signature

PROBABILITY: Final = "probability"
_OF_CLASS: Final = f"{PROBABILITY}_"
_MISSING_LONG: Final = -(2**63)
"""What PMML4S gives for an integer that it cannot say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Getter:
    """Takes one output out of a row's results: as Java functions for a stream."""

    index: int
    as_object: Any
    as_double: Any


class PmmlRunner:
    """Calls PMML4S. Numbers go over as one `double[][]` (NaN is missing), rows with text as `Object[][]`."""

    platform = "pmml_pmml4s"
    rows_alone = True  # PMML4S is called for one row at a time

    def __init__(
        self, model: Any, *, names: Sequence[str], outputs: Mapping[str, int], decimals: frozenset[str]
    ) -> None:
        self._model = model
        self._names = tuple(names)
        self._getters = {name: _getter(index) for name, index in outputs.items()}
        self._decimals = decimals
        """Outputs that are doubles in Java and come back as one `double[]`."""
        self._predict = _predict_function(model)

    def predict(self, columns: Columns, *, outputs: Sequence[str]) -> Results:
        matrix = columns_.matrix(columns, self._names)
        try:
            return self._batch(_java_rows(matrix), outputs)
        except jpype.JException:  # one row at least; which one is found by asking row by row
            return self._row_by_row(matrix, outputs)

    def close(self) -> None:
        """The JVM's collector takes the model when this runner is gone."""

    def _batch(self, rows: Any, outputs: Sequence[str]) -> Results:
        arrays = jpype.JClass("java.util.Arrays")
        predicted = arrays.stream(rows).map(self._predict)
        if len(outputs) == 1 and outputs[0] in self._decimals:
            return {outputs[0]: np.array(predicted.mapToDouble(self._getters[outputs[0]].as_double).toArray())}
        results = predicted.toArray()
        return {name: self._taken(name, arrays.stream(results)) for name in outputs}

    def _taken(self, name: str, results: Any) -> Array:
        getter = self._getters[name]
        if name in self._decimals:
            return np.array(results.mapToDouble(getter.as_double).toArray())
        return _objects([_value(item) for item in results.map(getter.as_object).toArray()])

    def _row_by_row(self, matrix: Array, outputs: Sequence[str]) -> Results:
        bad: list[RowFault] = []
        values: dict[str, list[object]] = {name: [] for name in outputs}
        for index in range(len(matrix)):
            try:
                (row,) = [self._predict.apply(row) for row in _java_rows(matrix[index : index + 1])]
            except jpype.JException as error:
                bad.append(RowFault(index=index, message=_words(error)))
                continue
            for name in outputs:
                values[name].append(_value(row[self._getters[name].index]))
        if bad:
            raise faults.of_rows(bad, count=len(matrix))
        return {name: _objects(found) for name, found in values.items()}


def load(path: Path, *, signature: Signature) -> PmmlRunner:
    """Read the document and match it to the signature; ModelRefusedError names the element, field or output."""
    pmml_document.check(path)
    jvm.start()
    try:
        model = jpype.JClass("org.pmml4s.model.Model").fromFile(str(path))
    except jpype.JException as error:
        memory = isinstance(error, jpype.JClass("java.lang.OutOfMemoryError"))
        reason = Reason.OUT_OF_MEMORY if memory else Reason.MODEL_CORRUPT
        raise ModelRefusedError(f"PMML4S refuses the model: {_words(error)}", reason=reason) from error
    if not model.isScorable():
        raise ModelRefusedError("the model says of itself that it is not for scoring (isScorable)")
    fields = list(model.outputFields())
    outputs = {tensor.name: _output(model, fields, tensor) for tensor in signature.outputs}
    decimals = frozenset(
        name for name, index in outputs.items() if str(fields[index].dataType()) in {"double", "real", "float"}
    )
    return PmmlRunner(model, names=_inputs(model, signature), outputs=outputs, decimals=decimals)


def _inputs(model: Any, signature: Signature) -> Sequence[str]:
    """The document's input fields in its order; each must be in the schema, as text or number like there."""
    given = {tensor.name: tensor for tensor in signature.inputs}
    problems: list[str] = []
    names: list[str] = []
    for item in model.inputFields():
        name, kind = str(item.name()), str(item.dataType())
        names.append(name)
        if name not in given:
            problems.append(f"the model's input {name!r} is not in the input schema ({', '.join(given)})")
        elif (kind == "string") != (given[name].datatype == "BYTES") and not kind.startswith("date"):
            problems.append(f"the model's input {name!r} is {kind}, the input schema makes it {given[name].datatype}")
    if problems:
        raise ModelRefusedError("; ".join(problems))
    return names


def _output(model: Any, fields: Sequence[Any], tensor: Tensor) -> int:
    """Index of the document's output that `tensor` means."""
    names = [str(item.name()) for item in fields]
    own = not model.output().isEmpty()
    # without an <Output> PMML4S adds a `probability` of its own: that of the class it predicts, whichever this is
    if tensor.name in names and (own or tensor.name != PROBABILITY):
        return names.index(tensor.name)
    if tensor.name == PROBABILITY or tensor.name.startswith(_OF_CLASS):
        return _probability(model, fields, tensor.name)
    for index, item in enumerate(fields):
        if str(item.feature()) == "predictedValue":
            return index
    raise ModelRefusedError(f"no output of the model fits {tensor.name!r}; it has {', '.join(names)}")


def _probability(model: Any, fields: Sequence[Any], output: str) -> int:
    of_class = {
        str(item.value().get()): index
        for index, item in enumerate(fields)
        if str(item.feature()) == "probability" and item.value().isDefined()
    }
    classes = [str(item) for item in model.classes()] or list(of_class)
    if output == PROBABILITY and len(classes) != 2:
        right = ", ".join(_OF_CLASS + item for item in of_class) or "an output of the model"
        raise ModelRefusedError(f"output {output!r} needs two classes, the model has {len(classes)}: use {right}")
    wanted = classes[1] if output == PROBABILITY else output.removeprefix(_OF_CLASS)
    if wanted not in of_class:
        there = ", ".join(of_class) or "no class"
        raise ModelRefusedError(f"output {output!r}: no probability of {wanted!r} is given (there is that of {there})")
    return of_class[wanted]


def _predict_function(model: Any) -> Any:
    """`model.predict(Object): Object[]` as a java.util.function.Function."""
    handles = jpype.JClass("java.lang.invoke.MethodHandles").publicLookup()
    model_class = jpype.JClass("org.pmml4s.model.Model").class_
    kind = jpype.JClass("java.lang.invoke.MethodType").methodType(
        _object_array(), jpype.JClass("java.lang.Object").class_
    )
    handle = handles.findVirtual(model_class, "predict", kind).bindTo(model)
    return _function("java.util.function.Function", handle)


def _getter(index: int) -> _Getter:
    handles = jpype.JClass("java.lang.invoke.MethodHandles")
    position = [jpype.JClass("java.lang.Integer")(index)]
    element = handles.insertArguments(handles.arrayElementGetter(_object_array()), 1, position)
    return _Getter(
        index=index,
        as_object=_function("java.util.function.Function", element),
        as_double=_function("java.util.function.ToDoubleFunction", element),
    )


def _function(interface: str, handle: Any) -> Any:
    return jpype.JClass("java.lang.invoke.MethodHandleProxies").asInterfaceInstance(
        jpype.JClass(interface).class_, handle
    )


def _object_array() -> Any:
    return jpype.JClass("java.lang.Object[]").class_


def _java_rows(matrix: Array) -> Any:
    if matrix.dtype == object:
        return jpype.JArray(jpype.JClass("java.lang.Object"), 2)(matrix.tolist())
    return jpype.JArray.of(matrix, jpype.JDouble)


def _value(item: Any) -> object:
    """A Java result as Python has it; None where PMML4S gave none."""
    if item is None or isinstance(item, bool):
        return item
    if isinstance(item, float):
        return None if item != item else float(item)  # noqa: PLR0124 - NaN alone differs from itself
    if isinstance(item, int):
        return None if item == _MISSING_LONG else int(item)
    boolean = jpype.JClass("java.lang.Boolean")
    return bool(item.booleanValue()) if isinstance(item, boolean) else str(item)


def _objects(values: Sequence[object]) -> Array:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _words(error: Any) -> str:
    """A Java exception's class and message, without package and stack."""
    cause = error.getCause() if str(error.getClass().getSimpleName()) == "UndeclaredThrowableException" else None
    shown = error if cause is None else cause
    return f"{shown.getClass().getSimpleName()}: {shown.getMessage()}"
