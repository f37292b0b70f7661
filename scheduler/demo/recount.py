"""Recomputes a demonstration job from its source and sink files alone; imports nothing of `scheduler`.

    python recount.py SOURCE.csv SINK.jsonl MODEL.joblib

Prints one JSON object and exits 1 when a flight is missing, doubled or not one of the source's, when a flight without
departure was scored, when any probability differs from scikit-learn's by more than 1e-9, or when a `late` contradicts
its probability. The confusion table counts flights that arrived: actual (arr_delay > 15 minutes) by predicted.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np

CARRIERS = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"]
ORIGINS = ["EWR", "JFK", "LGA"]
TOLERANCE = 1e-9


def key_of(row: dict[str, Any]) -> tuple[str, str, str]:
    """Hour, carrier and flight number: together they name one flight of 2013."""
    return str(row["time_hour"]), str(row["carrier"]), str(row["flight"])


def expected(source: Path, model: Any) -> tuple[int, dict[tuple[str, str, str], tuple[float, str]]]:
    """Number of source rows; and for each departed flight its probability by scikit-learn and its arrival delay."""
    with source.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    departed = [row for row in rows if row["dep_time"]]
    numbers = ("month", "day", "hour", "minute", "dep_delay", "distance")
    inputs = np.array(
        [
            [*(float(row[n]) for n in numbers), CARRIERS.index(row["carrier"]), ORIGINS.index(row["origin"])]
            for row in departed
        ]
    )
    probabilities = model.predict_proba(inputs)[:, 1]
    return len(rows), {
        key_of(row): (float(p), row["arr_delay"]) for row, p in zip(departed, probabilities, strict=True)
    }


def compare(sink: Path, wanted: dict[tuple[str, str, str], tuple[float, str]], threshold: float) -> dict[str, Any]:
    seen: collections.Counter[tuple[str, str, str]] = collections.Counter()
    table: collections.Counter[str] = collections.Counter()
    largest, wrong, contradictions, strangers = 0.0, 0, 0, 0
    with sink.open(encoding="utf-8") as handle:
        for line in handle:
            record = json.loads(line)
            key = key_of(record)
            seen[key] += 1
            if key not in wanted:
                strangers += 1
                continue
            probability, arrival_delay = wanted[key]
            difference = abs(record["probability"] - probability)
            largest = max(largest, difference)
            wrong += not difference <= TOLERANCE  # what is no number is no probability either, and never the largest
            contradictions += record["late"] != (record["probability"] >= threshold)
            if arrival_delay:
                actual = "late" if float(arrival_delay) > 15 else "on time"
                table[f"{actual}, predicted {'late' if record['late'] else 'on time'}"] += 1
    return {
        "written": sum(seen.values()),
        "missing": sum(key not in seen for key in wanted),
        "doubled": sum(count > 1 for count in seen.values()),
        "strangers": strangers,
        "largestDifference": largest,
        "wrongProbabilities": wrong,
        "contradictions": contradictions,
        "confusion": dict(sorted(table.items())),
    }


def recount(source: Path, sink: Path, model: Any, threshold: float = 0.5) -> dict[str, Any]:
    """All counts; `right` says whether every flight that departed is in the sink once, as the model scores it."""
    read, wanted = expected(source, model)
    found = {"read": read, "filtered": read - len(wanted)} | compare(sink, wanted, threshold)
    faults = ("missing", "doubled", "strangers", "wrongProbabilities", "contradictions")
    return {**found, "right": found["written"] == len(wanted) and not any(found[name] for name in faults)}


def main() -> int:
    parser = argparse.ArgumentParser(description="Recompute a demonstration job from its files.")
    for name in ("source", "sink", "model"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--threshold", type=float, default=0.5)
    arguments = parser.parse_args()
    found = recount(arguments.source, arguments.sink, joblib.load(arguments.model), arguments.threshold)
    print(json.dumps(found))
    return 0 if found["right"] else 1


if __name__ == "__main__":
    sys.exit(main())
