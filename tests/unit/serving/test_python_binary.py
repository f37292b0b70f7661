"""joblib estimators: which method and class an output means, the order of columns, versions."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from scheduler.model.tensors import Tensor
from scheduler.serving.columns import Column, Columns
from scheduler.serving.faults import ModelRefusedError, RequestRefusedError
from scheduler.serving.runners import python_binary
from scheduler.serving.signature import Signature

NAMES = ("a", "b", "c")
RANDOM = np.random.default_rng(5)
MATRIX = RANDOM.normal(size=(300, 3))
LATE = (MATRIX[:, 0] + MATRIX[:, 1] > 0).astype(int)


def load(
    tmp_path: Path, estimator: Any, *outputs: str, names: tuple[str, ...] = NAMES
) -> python_binary.EstimatorRunner:
    path = tmp_path / "model"
    joblib.dump(estimator, path)
    signature = Signature(
        inputs=tuple(Tensor(name=name, datatype="FP64") for name in names),
        outputs=tuple(Tensor(name=name, datatype="FP64") for name in outputs),
    )
    return python_binary.load(path, signature=signature)


def columns(matrix: Any, names: tuple[str, ...] = NAMES) -> Columns:
    return {name: Column(values=matrix[:, place]) for place, name in enumerate(names)}


def test_names_of_outputs_pick_method_and_class(tmp_path: Path) -> None:
    model = GradientBoostingClassifier(n_estimators=10).fit(MATRIX, LATE)
    runner = load(tmp_path, model, "probability", "probability_0", "label")

    results = runner.predict(columns(MATRIX), outputs=["probability", "probability_0", "label"])

    np.testing.assert_array_equal(results["probability"], model.predict_proba(MATRIX)[:, 1])
    np.testing.assert_array_equal(results["probability_0"], model.predict_proba(MATRIX)[:, 0])
    np.testing.assert_array_equal(results["label"], model.predict(MATRIX))


def test_classes_may_be_words_and_more_than_two(tmp_path: Path) -> None:
    words = np.array(["early", "late", "never"])[np.arange(300) % 3]
    model = DecisionTreeClassifier(max_depth=3).fit(MATRIX, words)
    runner = load(tmp_path, model, "probability_never")

    results = runner.predict(columns(MATRIX), outputs=["probability_never"])

    np.testing.assert_array_equal(results["probability_never"], model.predict_proba(MATRIX)[:, 2])


def test_a_regression_predicts(tmp_path: Path) -> None:
    model = LinearRegression().fit(MATRIX, MATRIX @ [1.0, 2.0, 3.0])
    results = load(tmp_path, model, "delay").predict(columns(MATRIX), outputs=["delay"])
    np.testing.assert_array_equal(results["delay"], model.predict(MATRIX))


@pytest.mark.parametrize("wrap", [False, True], ids=["estimator", "pipeline"])
def test_columns_come_in_the_order_that_the_model_was_fitted_with(tmp_path: Path, wrap: bool) -> None:
    """Without a warning at each call that names are missing (warnings are errors here)."""
    model = LinearRegression() if not wrap else make_pipeline(StandardScaler(), LinearRegression())
    model.fit(MATRIX, MATRIX @ [1.0, 2.0, 3.0])
    expected = model.predict(MATRIX)
    first = model if not wrap else model.steps[0][1]
    first.feature_names_in_ = np.array(NAMES, dtype=object)  # as after a fit with named columns
    runner = load(tmp_path, model, "delay", names=("c", "b", "a"))

    results = runner.predict(columns(MATRIX[:, ::-1], ("c", "b", "a")), outputs=["delay"])

    np.testing.assert_allclose(results["delay"], expected, rtol=1e-12)


def fitted(**changes: Any) -> Any:
    model = GradientBoostingClassifier(n_estimators=2).fit(MATRIX, LATE)
    vars(model).update(changes)
    return model


THREE = DecisionTreeClassifier(max_depth=2).fit(MATRIX, np.arange(300) % 3)
REFUSALS: dict[str, tuple[Any, tuple[str, ...], tuple[str, ...], str]] = {
    "no predict": ({"a": 1}, ("label",), NAMES, "the file holds a dict, which has no 'predict'"),
    "columns": (fitted(), ("label",), ("a", "b"), "fitted with 3 columns; its input schema has 2 fields"),
    "names": (
        fitted(feature_names_in_=np.array(["a", "b", "x"], dtype=object)),
        ("label",),
        NAMES,
        "fitted with a, b, x; its input schema has a, b, c",
    ),
    "three classes": (THREE, ("probability",), NAMES, "needs two classes, the model has 3: use probability_0, probab"),
    "no such class": (fitted(), ("probability_2",), NAMES, "output 'probability_2': the model's classes are 0, 1"),
    "no classes": (LinearRegression().fit(MATRIX, LATE), ("probability",), NAMES, "LinearRegression gives none"),
}


@pytest.mark.parametrize(("model", "outputs", "names", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_model_that_does_not_match_is_refused(
    tmp_path: Path, model: Any, outputs: tuple[str, ...], names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ModelRefusedError, match=message):
        load(tmp_path, model, *outputs, names=names)


def test_a_model_of_another_scikit_learn_is_refused_with_both_versions(tmp_path: Path) -> None:
    model = LinearRegression().fit(MATRIX, LATE)
    data = pickle.dumps(model)
    here = __import__("sklearn").__version__
    assert data.count(here.encode()) == 1
    path = tmp_path / "model"
    path.write_bytes(data.replace(here.encode(), b"1.6.9"[: len(here)]))

    signature = Signature(inputs=(Tensor(name="a", datatype="FP64"),), outputs=(Tensor(name="y", datatype="FP64"),))
    with pytest.raises(ModelRefusedError, match=rf"written by scikit-learn 1\.6\.9, this server has {here}"):
        python_binary.load(path, signature=signature)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 something else", b"\x80\x04cut"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model"
    path.write_bytes(data)
    signature = Signature(inputs=(Tensor(name="a", datatype="FP64"),), outputs=(Tensor(name="y", datatype="FP64"),))
    with pytest.raises(ModelRefusedError, match="the model does not load"):
        python_binary.load(path, signature=signature)


def test_a_missing_value_that_the_model_cannot_take_costs_its_row(tmp_path: Path) -> None:
    runner = load(tmp_path, fitted(), "probability")
    given = dict(columns(MATRIX[:5]))
    given["b"] = Column(values=MATRIX[:5, 1], missing=np.array([False, False, False, True, False]))

    with pytest.raises(RequestRefusedError, match="1 of 5 rows") as caught:
        runner.predict(given, outputs=["probability"])

    assert [row.index for row in caught.value.rows] == [3]
    assert "contains NaN" in caught.value.rows[0].message
