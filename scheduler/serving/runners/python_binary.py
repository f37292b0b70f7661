"""`python-binary`: a scikit-learn estimator written by joblib.

Names of the model's outputs decide what is asked of it:
- `probability`: `predict_proba`, column of the positive class (the second of two; three classes have none);
- `probability_<class>`: `predict_proba`, column of that class as `str` writes it (`probability_1`, `probability_late`);
- any other name (`label`, `score`, …): `predict`.

The matrix has the inputs in their order, or in the order of the names that the estimator was fitted with. A file that
another version of scikit-learn wrote is refused: it may load and score differently.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
from sklearn.exceptions import InconsistentVersionWarning

from scheduler.serving import columns as columns_
from scheduler.serving.columns import Array, Columns
from scheduler.serving.faults import ModelRefusedError
from scheduler.serving.runners import isolation, row_wise
from scheduler.serving.runners.port import Results
from scheduler.serving.signature import Signature

PROBABILITY: Final = "probability"
_OF_CLASS: Final = f"{PROBABILITY}_"


class EstimatorRunner:
    """Calls an estimator's `predict` and `predict_proba`, each only when an output that is asked for needs it."""

    platform = "sklearn_joblib"

    def __init__(self, estimator: Any, *, names: Sequence[str], probabilities: Mapping[str, int]) -> None:
        self._estimator = estimator
        self._names = tuple(names)
        self._probabilities = probabilities
        """Output name -> column of `predict_proba`."""
        self.rows_alone = row_wise.is_exact(estimator)

    def predict(self, columns: Columns, *, outputs: Sequence[str]) -> Results:
        return isolation.predict(lambda matrix: self._scored(matrix, outputs), columns_.matrix(columns, self._names))

    def close(self) -> None:
        """Nothing is held but memory."""

    def _scored(self, matrix: Array, outputs: Sequence[str]) -> Results:
        results: dict[str, Array] = {}
        wanted = [name for name in outputs if name in self._probabilities]
        if wanted:
            probabilities = self._estimator.predict_proba(matrix)
            results.update({name: probabilities[:, self._probabilities[name]] for name in wanted})
        if len(wanted) < len(outputs):
            predicted = np.asarray(self._estimator.predict(matrix))
            if predicted.size != len(matrix):
                raise ValueError(f"predict gives shape {list(predicted.shape)} for {len(matrix)} rows")
            results.update({name: predicted.reshape(-1) for name in outputs if name not in results})
        return results


def load(path: Path, *, signature: Signature) -> EstimatorRunner:
    """Unpickle the file (which may run any code: the caller checked its digest) and match it to the signature."""
    estimator = _estimator(path)
    inputs = [tensor.name for tensor in signature.inputs]
    names = _fitted_order(estimator, inputs)
    probabilities = {
        tensor.name: _class_column(estimator, tensor.name)
        for tensor in signature.outputs
        if tensor.name == PROBABILITY or tensor.name.startswith(_OF_CLASS)
    }
    _forget_names(estimator)
    return EstimatorRunner(estimator, names=names, probabilities=probabilities)


def _estimator(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", InconsistentVersionWarning)
            estimator = joblib.load(path)
    except InconsistentVersionWarning as warning:
        raise ModelRefusedError(
            f"the model was written by scikit-learn {warning.original_sklearn_version}, this server has "
            f"{warning.current_sklearn_version}: train it again with that version, or serve it with the other"
        ) from warning
    except (Exception, SystemExit) as error:  # a pickle may raise whatever it likes
        damaged = isinstance(error, pickle.UnpicklingError | EOFError | LookupError)
        hint = " (it is no joblib file)" if damaged else ""
        raise ModelRefusedError(f"the model does not load: {type(error).__name__}: {error}{hint}") from error
    if not callable(getattr(estimator, "predict", None)):
        raise ModelRefusedError(f"the file holds a {type(estimator).__name__}, which has no 'predict'")
    return estimator


def _fitted_order(estimator: Any, inputs: Sequence[str]) -> Sequence[str]:
    """The inputs in the order of the estimator's columns; refused when they are not the same."""
    fitted = getattr(estimator, "feature_names_in_", None)
    if fitted is not None:
        names = [str(name) for name in fitted]
        if sorted(names) != sorted(inputs):
            raise ModelRefusedError(
                f"the model was fitted with {', '.join(names)}; its input schema has {', '.join(inputs)}"
            )
        return names
    count = getattr(estimator, "n_features_in_", len(inputs))
    if count != len(inputs):
        raise ModelRefusedError(f"the model was fitted with {count} columns; its input schema has {len(inputs)} fields")
    return inputs


def _class_column(estimator: Any, output: str) -> int:
    classes = [str(item) for item in getattr(estimator, "classes_", ())]
    if not classes or not callable(getattr(estimator, "predict_proba", None)):
        raise ModelRefusedError(f"output {output!r} asks for a probability; {type(estimator).__name__} gives none")
    if output == PROBABILITY:
        if len(classes) != 2:
            right = ", ".join(_OF_CLASS + item for item in classes)
            raise ModelRefusedError(f"output {output!r} needs two classes, the model has {len(classes)}: use {right}")
        return 1
    wanted = output.removeprefix(_OF_CLASS)
    if wanted not in classes:
        raise ModelRefusedError(f"output {output!r}: the model's classes are {', '.join(classes)}")
    return classes.index(wanted)


def _forget_names(estimator: Any) -> None:
    """Columns are in order by now; scikit-learn would warn at each call that a matrix has no names."""
    vars(estimator).pop("feature_names_in_", None)
    for _, step in getattr(estimator, "steps", ()):
        if hasattr(step, "__dict__"):
            _forget_names(step)
