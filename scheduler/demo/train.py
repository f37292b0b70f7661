"""Trains the demonstration's model and writes it as joblib and as PMML.

"Does the flight arrive more than 15 minutes late?", asked at departure: 100 trees of depth 3, trained on a tenth of the
flights that arrived. Categories are numbers here, because the flow's `map` step encodes them.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import Pipeline

from scheduler.demo import flights

FEATURES: Final = ("month", "day", "hour", "minute", "dep_delay", "distance", "carrier_code", "origin_code")
CARRIERS: Final = ("9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV")
ORIGINS: Final = ("EWR", "JFK", "LGA")
LATE_MINUTES: Final = 15
SEED: Final = 13


def features(row: dict[str, str]) -> list[float]:
    numbers = [float(row[name]) for name in FEATURES[:6]]
    return [*numbers, float(CARRIERS.index(row["carrier"])), float(ORIGINS.index(row["origin"]))]


def training_set(text: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A seeded tenth of the flights that departed and arrived: features [n, 8] and labels [n], 1 = late."""
    arrived = [row for row in flights.rows(text) if row["dep_time"] and row["arr_delay"]]
    chosen = np.random.default_rng(SEED).permutation(len(arrived))[: len(arrived) // 10]
    inputs = np.array([features(arrived[index]) for index in chosen])
    labels = np.array([float(arrived[index]["arr_delay"]) > LATE_MINUTES for index in chosen], dtype=np.int64)
    return inputs, labels


def fit(text: str) -> Any:
    inputs, labels = training_set(text)
    return GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=SEED).fit(inputs, labels)


def write(model: Any, folder: Path) -> tuple[Path, Path]:
    """Write `delay.joblib` and `delay.pmml`; the same model gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    as_joblib, as_pmml = folder / "delay.joblib", folder / "delay.pmml"
    joblib.dump(model, as_joblib)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nyoka import skl_to_pmml  # noqa: PLC0415 - its import warns about its own syntax

        skl_to_pmml(Pipeline([("model", model)]), list(FEATURES), "late", str(as_pmml))
    text = as_pmml.read_text(encoding="utf-8")
    as_pmml.write_text(re.sub(r"<Timestamp>[^<]*</Timestamp>", "", text), encoding="utf-8")
    return as_joblib, as_pmml
