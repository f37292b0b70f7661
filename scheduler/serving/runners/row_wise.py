"""Which estimators of scikit-learn give a row the same result, to the last bit, whatever rows stand beside it.

Trees do: each row walks down by itself, and what the trees say is added up in their order. Whatever multiplies matrices
does not, for BLAS adds up in another order for one row than for many, and neither does what sums over classes with
numpy. So this is a list of what is known to be exact, and everything else is not; a test holds each entry to it.
Classes go by their names: importing them takes longer than most models take to load.
"""

from __future__ import annotations

from typing import Any, Final

ELEMENT_WISE: Final = frozenset(
    {"MaxAbsScaler", "MinMaxScaler", "OrdinalEncoder", "RobustScaler", "SimpleImputer", "StandardScaler"}
)
"""Steps before the last that look at one cell at a time."""
TREES: Final = frozenset(
    {"DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"}
)
FORESTS: Final = frozenset(
    {"ExtraTreesClassifier", "ExtraTreesRegressor", "RandomForestClassifier", "RandomForestRegressor"}
)
BOOSTED: Final = frozenset(
    {
        "GradientBoostingClassifier",
        "GradientBoostingRegressor",
        "HistGradientBoostingClassifier",
        "HistGradientBoostingRegressor",
    }
)
_CONSTANT: Final = frozenset({"DummyClassifier", "DummyRegressor"})
_TWO: Final = 2
_IDENTITIES: Final = frozenset({"squared_error", "absolute_error", "huber", "quantile"})
"""Losses of regressions whose prediction is the sum itself."""


def is_exact(estimator: Any) -> bool:
    """Whether it is one of those; a class derived from them may do anything, so it is not."""
    kind = _kind(estimator)
    if kind == "Pipeline":
        *before, (_, last) = estimator.steps
        return is_exact(last) and all(step == "passthrough" or _kind(step) in ELEMENT_WISE for _, step in before)
    if kind in TREES:
        return True
    if kind in FORESTS:
        return estimator.n_jobs in {None, 1}  # threads add their trees up in no order
    return kind in BOOSTED and _sums_only(estimator)


def _kind(estimator: object) -> str:
    """The name of a class that is scikit-learn's own; empty for any other."""
    kind = type(estimator)
    return kind.__name__ if kind.__module__.startswith("sklearn.") else ""


def _sums_only(estimator: Any) -> bool:
    """Whether nothing but sums of trees, and the logistic function of one of them, makes the prediction."""
    first = getattr(estimator, "init_", "zero")
    if first != "zero" and _kind(first) not in _CONSTANT:
        return False
    classes = getattr(estimator, "classes_", None)
    return estimator.loss in _IDENTITIES if classes is None else len(classes) == _TWO and estimator.loss == "log_loss"
