"""Single rows a second: our scoring server beside MLServer, the same models, the same client, one core for each end.

The load is bounded (seconds on the loopback address) and every answer is checked.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from tests.bench import load, models, servers
from tests.bench.load import Exchange
from tests.bench.record import Bench

pytestmark = pytest.mark.timeout(300)

CONNECTIONS: Final = 8
MLSERVER_ECHO: Final = """
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Echo(MLModel):
    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        x = NumpyCodec.decode_input(payload.inputs[0])
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("probability", x * 2)])
"""


def test_single_rows(bench: Bench, tmp_path: Path) -> None:
    bench.of(
        "Scoring server, single rows",
        f"One row a request, JSON, {CONNECTIONS} connections that each wait for their answer; the server on one core, "
        "the client on another. The trivial model doubles a number and shows what the server costs; the other is "
        "100 trees of scikit-learn. MLServer has no worker processes, its quickest set-up on one core.",
        MLServer=servers.MLSERVER,
    )
    count = bench.size(short=400, full=8000)
    trained = models.trained(tmp_path)
    script = tmp_path / "echo.py"
    script.write_text(models.ECHO)
    numbers = np.arange(float(count)).reshape(-1, 1)
    rows = np.resize(trained.rows, (count // 4, len(models.FEATURES)))
    expected = np.resize(trained.expected, count // 4)
    single = [models.matrix(row.reshape(1, 1)) for row in numbers]
    single_ours = [body.replace(b'"shape":[1,1]', b'"shape":[1]') for body in single]
    with servers.cores_apart():
        ours = [
            _measured(
                servers.modelops(
                    tmp_path, file=script, type_="python-script", inputs=[_x()], outputs=models.PROBABILITY
                ),
                single_ours,
                numbers * 2,
            ),
            _measured(
                servers.modelops(
                    tmp_path,
                    file=tmp_path / "model.joblib",
                    type_="python-binary",
                    inputs=models.INPUTS,
                    outputs=models.PROBABILITY,
                ),
                [models.columns(row.reshape(1, -1)) for row in rows],
                expected,
            ),
        ]
        _figures(bench, "modelops", ours)
        if not bench.is_full:
            return
        asked = {"outputs": [{"name": "predict_proba"}]}
        peer = [
            _measured(
                servers.mlserver(tmp_path / "echo-peer", implementation="echo.Echo", code=MLSERVER_ECHO),
                single[: count // 2],
                numbers[: count // 2] * 2,
            ),
            _measured(
                servers.mlserver(
                    tmp_path / "trees-peer",
                    implementation="mlserver_sklearn.SKLearnModel",
                    uri=str(tmp_path / "model.joblib"),
                ),
                [models.matrix(row.reshape(1, -1), **asked) for row in rows],
                expected,
                pick=lambda answer: answer[1],
            ),
        ]
    _figures(bench, "MLServer", peer)
    for what, mine, theirs in zip(("trivial model", "100 trees"), ours, peer, strict=True):
        bench.figure(f"{what}: modelops / MLServer", mine.per_second / theirs.per_second, "times", at_least=3)


def _x() -> dict[str, str]:
    return {"name": "x", "datatype": "FP64"}


def _measured(
    serving: AbstractContextManager[int],
    bodies: Sequence[bytes],
    expected: Any,
    *,
    pick: Callable[[Any], float] = lambda answer: float(answer[0]),
) -> Exchange:
    """The middle one of three exchanges by its rate, after a warm-up; every answer is right."""
    with serving as port:
        load.exchange(port, bodies[: len(bodies) // 4], connections=CONNECTIONS)
        found = [load.exchange(port, bodies, connections=CONNECTIONS) for _ in range(3)]
    for exchange in found:
        answered = [pick(answer) for answer in exchange.answers]
        np.testing.assert_allclose(answered, np.ravel(expected), rtol=0, atol=1e-12)
    middle = statistics.median(exchange.per_second for exchange in found)
    return next(exchange for exchange in found if exchange.per_second == middle)


def _figures(bench: Bench, who: str, found: Sequence[Exchange]) -> None:
    for what, exchange in zip(("trivial model", "100 trees"), found, strict=True):
        bench.figure(f"{what}, {who}", exchange.per_second, "requests/s")
        bench.figure(f"{what}, {who}, p50 of a request", exchange.milliseconds(0.5), "ms")
        bench.figure(f"{what}, {who}, p99 of a request", exchange.milliseconds(0.99), "ms")
