"""Each kind of estimator that is scored together with others gives every row the same bits as alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, OrdinalEncoder, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from scheduler.serving.runners import row_wise

RANDOM = np.random.default_rng(7)
ROWS = RANDOM.normal(size=(300, 5))
MARKS = np.digitize(ROWS[:, 0] * ROWS[:, 1] + ROWS[:, 2], [-0.7, 0.0, 0.7])
NUMBERS = ROWS[:, 0] * ROWS[:, 1] + ROWS[:, 2]
TWO = MARKS > 1
EXACT: dict[str, tuple[Any, Any]] = {
    "tree": (DecisionTreeClassifier(random_state=1), MARKS),
    "tree, number": (DecisionTreeRegressor(random_state=1), NUMBERS),
    "extra tree": (ExtraTreeClassifier(random_state=1), MARKS),
    "extra tree, number": (ExtraTreeRegressor(random_state=1), NUMBERS),
    "forest": (RandomForestClassifier(25, random_state=1), MARKS),
    "forest, number": (RandomForestRegressor(25, random_state=1), NUMBERS),
    "extra trees": (ExtraTreesClassifier(25, random_state=1), MARKS),
    "extra trees, number": (ExtraTreesRegressor(25, random_state=1), NUMBERS),
    "boosting": (GradientBoostingClassifier(n_estimators=40, random_state=1), TWO),
    "boosting, number": (GradientBoostingRegressor(n_estimators=40, loss="huber", random_state=1), NUMBERS),
    "boosting from zero": (GradientBoostingClassifier(n_estimators=40, init="zero", random_state=1), TWO),
    "histograms": (HistGradientBoostingClassifier(max_iter=40, random_state=1), TWO),
    "histograms, number": (HistGradientBoostingRegressor(max_iter=40, random_state=1), NUMBERS),
    "standard scaler": (make_pipeline(StandardScaler(), RandomForestRegressor(25, random_state=1)), NUMBERS),
    "other scalers": (
        make_pipeline(SimpleImputer(), RobustScaler(), MinMaxScaler(), MaxAbsScaler(), DecisionTreeClassifier()),
        MARKS,
    ),
}
IN_DOUBT: dict[str, Any] = {
    "a product of matrices": LogisticRegression(),
    "a product behind scaling": make_pipeline(StandardScaler(), LogisticRegression()),
    "sums over classes": GradientBoostingClassifier(n_estimators=5),
    "threads": RandomForestClassifier(5, n_jobs=2),
    "a start of its own": GradientBoostingRegressor(n_estimators=5, init=LinearRegression()),
    "an exponential": HistGradientBoostingRegressor(max_iter=5, loss="poisson"),
    "a derived class": type("Mine", (DecisionTreeClassifier,), {"__module__": "mine"})(),
}


def test_every_class_of_the_list_is_tried() -> None:
    tried = {type(step).__name__ for given, _ in EXACT.values() for step in _steps(given)} | {OrdinalEncoder.__name__}
    assert tried == row_wise.TREES | row_wise.FORESTS | row_wise.BOOSTED | row_wise.ELEMENT_WISE


@pytest.mark.parametrize("name", EXACT)
def test_a_row_beside_others_has_the_bits_that_it_has_alone(name: str) -> None:
    estimator, wanted = EXACT[name]
    fitted = estimator.fit(ROWS[:200], wanted[:200])

    assert row_wise.is_exact(fitted)
    for method in ("predict", "predict_proba"):
        if hasattr(fitted, method):
            alone = [getattr(fitted, method)(row.reshape(1, -1))[0] for row in ROWS]
            for size in (2, 3, 7, 8, 16, 31, 32):
                parts = [getattr(fitted, method)(ROWS[start : start + size]) for start in range(0, len(ROWS), size)]
                assert np.concatenate(parts).tobytes() == np.array(alone).tobytes()


def test_an_encoder_of_words_looks_at_one_cell_at_a_time() -> None:
    words = np.array([["a", "x"], ["b", "y"], ["c", "x"]], dtype=object)
    fitted = make_pipeline(OrdinalEncoder(), DecisionTreeRegressor()).fit(words, [1.5, 2.5, 4.0])

    assert row_wise.is_exact(fitted)
    assert fitted.predict(words).tolist() == [fitted.predict(words[place : place + 1])[0] for place in range(3)]


@pytest.mark.parametrize("name", IN_DOUBT)
def test_what_is_not_known_to_be_exact_is_not(name: str) -> None:
    labels = NUMBERS > 0 if name in {"a product of matrices", "a product behind scaling"} else MARKS
    assert not row_wise.is_exact(IN_DOUBT[name].fit(ROWS, labels))


def _steps(estimator: Any) -> list[Any]:
    return [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
