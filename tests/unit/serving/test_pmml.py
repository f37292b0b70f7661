"""PMML4S in a real JVM: against scikit-learn, with missing values, and what is refused at load."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scheduler.model.tensors import Tensor
from scheduler.serving.columns import Array, Column, Columns
from scheduler.serving.faults import ModelRefusedError
from scheduler.serving.signature import Signature
from tests.unit.serving.documents import TREE

pytestmark = pytest.mark.java

FEATURES = tuple(f"f{place}" for place in range(6))


@pytest.fixture(scope="session")
def boosted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Array]:
    """A gradient boosting model as nyoka writes it down, the model itself and rows that it was not fitted with."""
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.pipeline import Pipeline

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nyoka leaves its file to the collector, and uses what numpy gives up
        from nyoka import skl_to_pmml

        random = np.random.default_rng(7)
        rows = random.normal(size=(1200, 6)).astype(np.float32).astype(np.float64)
        late = (rows[:, 0] + rows[:, 1] * rows[:, 2] > 0.3).astype(int)
        model = GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=1).fit(rows[:400], late[:400])
        path = tmp_path_factory.mktemp("pmml") / "boosted"
        skl_to_pmml(Pipeline([("model", model)]), list(FEATURES), "late", str(path))
        import gc

        gc.collect()
    return path, model, rows[400:]


def load(path: Path, inputs: dict[str, str], *outputs: str, datatype: str = "FP64") -> Any:
    from scheduler.serving.runners import pmml

    signature = Signature(
        inputs=tuple(Tensor(name=name, datatype=kind) for name, kind in inputs.items()),
        outputs=tuple(Tensor(name=name, datatype=datatype) for name in outputs),
    )
    return pmml.load(path, signature=signature)


def columns(rows: Array) -> Columns:
    return {name: Column(values=rows[:, place]) for place, name in enumerate(FEATURES)}


def doubles(names: tuple[str, ...] = FEATURES) -> dict[str, str]:
    return dict.fromkeys(names, "FP64")


def test_probabilities_and_labels_are_scikit_learns(boosted: tuple[Path, Any, Array]) -> None:
    path, model, rows = boosted
    outputs = ["probability", "probability_0", "probability_1", "predicted_late", "label"]
    runner = load(path, doubles(FEATURES[::-1]), *outputs)

    results = runner.predict(columns(rows), outputs=outputs)

    expected = model.predict_proba(rows)
    np.testing.assert_allclose(results["probability"], expected[:, 1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(results["probability_1"], expected[:, 1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(results["probability_0"], expected[:, 0], rtol=0, atol=1e-12)
    assert results["label"].tolist() == results["predicted_late"].tolist() == model.predict(rows).tolist()


def test_without_an_output_element_probability_is_still_the_positive_class(
    boosted: tuple[Path, Any, Array], tmp_path: Path
) -> None:
    """PMML4S then has an output of that name, with the probability of whichever class it predicts."""
    path, model, rows = boosted
    text = path.read_text()
    begin, end = text.index("<Output>"), text.index("</Output>") + len("</Output>")
    bare = tmp_path / "bare"
    bare.write_text(text[:begin] + text[end:])
    runner = load(bare, doubles(), "probability")

    results = runner.predict(columns(rows), outputs=["probability"])

    np.testing.assert_allclose(results["probability"], model.predict_proba(rows)[:, 1], rtol=0, atol=1e-12)


def test_a_row_without_a_value_that_the_model_needs_gives_none(boosted: tuple[Path, Any, Array]) -> None:
    path, _, rows = boosted
    given = dict(columns(rows[:3]))
    given["f0"] = Column(values=rows[:3, 0], missing=np.array([False, True, False]))

    results = load(path, doubles(), "probability", "label").predict(given, outputs=["probability", "label"])

    assert np.isnan(results["probability"]).tolist() == [False, True, False]
    assert results["label"].tolist()[1] is None


def test_rows_together_have_the_bits_that_they_have_alone(boosted: tuple[Path, Any, Array]) -> None:
    path, _, rows = boosted
    runner = load(path, doubles(), "probability")
    assert runner.rows_alone

    single = [runner.predict(columns(rows[place : place + 1]), outputs=["probability"]) for place in range(32)]

    together = runner.predict(columns(rows[:32]), outputs=["probability"])["probability"]
    assert together.tobytes() == np.concatenate([one["probability"] for one in single]).tobytes()


def tree(tmp_path: Path, text: str = TREE, **changes: str) -> Any:
    path = tmp_path / "tree"
    path.write_text(text)
    inputs = {"dep_delay": "FP64", "carrier": "BYTES", "weekend": "BOOL"} | changes
    return load(path, {name: kind for name, kind in inputs.items() if kind}, "minutes", "node_id")


def test_text_booleans_and_missing_values_reach_the_tree(tmp_path: Path) -> None:
    """A missing number is not zero, and missing text is not the empty text."""
    missing = np.array([False, False, False, False, True])
    given = {
        "dep_delay": Column(values=np.array([0.0, 3, 3, 7, 0]), missing=missing),
        "carrier": Column(values=np.array(["UA", "UA", "B6", "B6", "B6"], dtype=object)),
        "weekend": Column(values=np.array([False, False, True, False, False])),
    }

    results = tree(tmp_path).predict(given, outputs=["minutes", "node_id"])

    assert results["node_id"].tolist() == ["zero", "united", "weekend", "late", "none"]
    assert results["minutes"].tolist() == [0.0, 10.0, 20.0, 30.0, 99.0]


def test_a_value_that_the_model_does_not_know_gives_none(tmp_path: Path) -> None:
    given = {
        "dep_delay": Column(values=np.array([3.0, 3.0])),
        "carrier": Column(values=np.array(["UA", "ZZ"], dtype=object)),
        "weekend": Column(values=np.array([False, False])),
    }
    results = tree(tmp_path).predict(given, outputs=["minutes", "node_id"])
    assert results["node_id"].tolist() == ["united", None]
    assert np.isnan(results["minutes"].tolist()[1])


def test_a_model_is_called_from_any_thread(boosted: tuple[Path, Any, Array]) -> None:
    path, model, rows = boosted
    runner = load(path, doubles(), "probability")
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(runner.predict(columns(rows), outputs=["probability"])))
    thread.start()
    thread.join(30)
    np.testing.assert_allclose(found[0]["probability"], model.predict_proba(rows)[:, 1], rtol=0, atol=1e-12)


REFUSALS: dict[str, tuple[str, dict[str, str], str]] = {
    "no version": (TREE.replace(' version="4.4"', ""), {}, "Required attribute 'version' is missing"),
    "bad operator": (TREE.replace('operator="equal"', 'operator="like"'), {}, "No value found for 'like'"),
    "not scorable": (TREE.replace("<TreeModel", '<TreeModel isScorable="false"'), {}, "not for scoring"),
    "text for a number": (TREE, {"dep_delay": "BYTES"}, "input 'dep_delay' is double, the input schema makes it BYTES"),
    "number for a text": (TREE, {"carrier": "INT64"}, "input 'carrier' is string, the input schema makes it INT64"),
    "not in the schema": (TREE, {"weekend": ""}, r"input 'weekend' is not in the input schema \(dep_delay, carrier\)"),
}


@pytest.mark.parametrize(("text", "changes", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_model_that_cannot_be_scored_or_does_not_match_is_refused(
    tmp_path: Path, text: str, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(ModelRefusedError, match=message):
        tree(tmp_path, text, **changes)


def test_an_output_that_the_model_does_not_have_is_refused(boosted: tuple[Path, Any, Array]) -> None:
    with pytest.raises(ModelRefusedError, match=r"no probability of '2' is given \(there is that of 0, 1\)"):
        load(boosted[0], doubles(), "probability_2")
