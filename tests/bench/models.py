"""The models and rows that benches of scoring servers share, and requests for them."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
import orjson

FEATURES: Final = tuple(f"f{place}" for place in range(12))
INPUTS: Final = tuple({"name": name, "datatype": "FP64"} for name in FEATURES)
PROBABILITY: Final = ({"name": "probability", "datatype": "FP64"},)
ECHO: Final = """
from collections.abc import Iterable
import numpy as np

def score(x: np.ndarray, names: Iterable[str]) -> tuple[np.ndarray, Iterable[str]]:
    return x * 2, ["probability"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """100 trees of depth 3 on 12 columns, in memory, as `model.joblib` and as `model.pmml`."""

    model: Any
    rows: Any
    expected: Any
    """The probability of each row."""
    folder: Path


def trained(folder: Path, *, count: int = 6000) -> Trained:
    """With `count` rows, 6,000 at most."""
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.pipeline import Pipeline

    random = np.random.default_rng(3)
    rows = random.normal(size=(6000, len(FEATURES))).astype(np.float32).astype(np.float64)
    late = (rows[:, 1] + rows[:, 2] * rows[:, 3] > 0.5).astype(int)
    model = GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=1).fit(rows[:2000], late[:2000])
    joblib.dump(model, folder / "model.joblib")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nyoka leaves its file to the collector
        from nyoka import skl_to_pmml

        skl_to_pmml(Pipeline([("model", model)]), list(FEATURES), "late", str(folder / "model.pmml"))
        gc.collect()
    rows = rows[:count]
    return Trained(model=model, rows=rows, expected=model.predict_proba(rows)[:, 1], folder=folder)


def columns(rows: Any, features: Sequence[str] = FEATURES) -> bytes:
    """A request with one tensor a column."""
    return _request(
        [
            {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": np.ascontiguousarray(rows[:, place])}
            for place, name in enumerate(features)
        ]
    )


def matrix(rows: Any, **more: Any) -> bytes:
    """A request with all columns in one tensor."""
    data = np.ascontiguousarray(rows).ravel()
    return _request([{"name": "x", "shape": list(rows.shape), "datatype": "FP64", "data": data}], **more)


def _request(inputs: Sequence[dict[str, Any]], **more: Any) -> bytes:
    return orjson.dumps({"inputs": inputs, **more}, option=orjson.OPT_SERIALIZE_NUMPY)
