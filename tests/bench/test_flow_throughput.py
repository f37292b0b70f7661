"""Records a second of one flow: all flights from CSV through a 100-tree model behind its scoring server to JSON lines.

The figure is printed; what is asserted are the answers: every flight once, in order, each probability equal to
scikit-learn's. Engine, runner and scoring server share this machine's cores, as they share a node's.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from scheduler.demo import flights, train
from scheduler.flow import config, control, engine, runner
from scheduler.ir import load
from scheduler.model import tensors
from scheduler.preprocess import resolve
from scheduler.preprocess.request import Request
from scheduler.preprocess.services import ScoringServer

pytestmark = [pytest.mark.bento, pytest.mark.timeout(600)]

DEMO = Path(flights.__file__).parent


def bento() -> str:
    home = Path(os.environ.get("MODELOPS_HOME", "/var/lib/modelops"))
    found = os.environ.get("MODELOPS_BENTO") or shutil.which("bento") or shutil.which(str(home / "bin" / "bento"))
    if not found:
        pytest.fail("no Bento: `make up` builds it, or build scheduler/flow/bento and name it in MODELOPS_BENTO")
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_all_flights(tmp_path: Path) -> None:
    text = flights.source_csv()
    model = train.fit(text)
    train.write(model, tmp_path / "ir" / "models")
    for name in ("pipeline.yaml", "model-joblib.yaml"):
        shutil.copy(DEMO / "ir" / name, tmp_path / "ir" / name)
    (tmp_path / "flights.csv").write_text(text)
    pipeline = load.from_folder(tmp_path / "ir", fill_digests=True).pipeline
    with serving(pipeline.models[0], tmp_path) as url:
        mounted = deploy(pipeline, tmp_path, url)
        began, before = time.monotonic(), cpu_seconds(resource.RUSAGE_CHILDREN)
        end = runner.run(
            config.load(mounted),
            (mounted / "engine.yaml").read_text(),
            board=control.Board(),
            attempt="bench",
            place=engine.Place(program=bento(), port=free_port()),
        )
        seconds = time.monotonic() - began
        bento_seconds = cpu_seconds(resource.RUSAGE_CHILDREN) - before
    serving_seconds = cpu_seconds(resource.RUSAGE_CHILDREN) - before - bento_seconds
    assert end.message == ""
    assert end.total == end.ledger.read == 336_776
    check(text, model, tmp_path / "delays.jsonl")
    print(f"\nflow: {end.total / seconds:,.0f} records/s ({end.total:,} in {seconds:.2f} s, counted and committed)")
    for program, spent in (("engine", bento_seconds), ("scoring server", serving_seconds)):
        print(f"  {program}: {spent / end.total * 1e6:.1f} microseconds of processor time a record")


def cpu_seconds(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def serving(model: Any, folder: Path) -> Iterator[str]:
    path = folder / "ir" / model.artifact
    port = free_port()
    document = {
        "name": model.name,
        "type": model.type,
        "sha256": sha256(path.read_bytes()).hexdigest(),
        "path": str(path),
        "inputs": [tensors.as_values(tensor) for tensor in tensors.of_schema(model.inputs)],
        "outputs": [tensors.as_values(tensor) for tensor in tensors.of_schema(model.outputs)],
    }
    (folder / "models.json").write_text(json.dumps({"models": [document]}))
    program = subprocess.Popen(
        [
            *(sys.executable, "-m", "scheduler.serving", "--runner", "python", "--host", "127.0.0.1"),
            *("--port", str(port), "--config", str(folder / "models.json")),
        ]
    )
    try:
        await_ready(f"http://127.0.0.1:{port}/v2/models/{model.name}/ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        program.terminate()
        program.wait(timeout=30)


def await_ready(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            assert time.monotonic() < deadline, f"{url} is not ready"
            time.sleep(0.1)


def deploy(pipeline: Any, folder: Path, url: str) -> Path:
    """What is mounted into the flow's pod, with this folder for the volume and `url` for the Service."""
    texts = [path.read_text() for path in sorted((DEMO / "channels").glob("*.yaml"))]
    registry = [loaded.channel for text in texts for loaded in load.channels_from_text(text)]
    resolved = resolve.values(
        pipeline,
        request=Request(
            job_id="j" + "a" * 20,
            environment="staging",
            registry=registry,
            scoring_servers=[ScoringServer(chart="scoring-server-python", types=("python-binary",))],
            images=dict.fromkeys(("streaming-runtime", "scoring-server-python"), "i@sha256:" + "0" * 64),
        ),
    )
    compiled = resolved.flows[0]
    service = compiled.runner["services"][0]["url"]
    mounted = folder / "config"
    mounted.mkdir()
    for name, text in (("engine.yaml", compiled.engine), ("runner.json", json.dumps(dict(compiled.runner)))):
        (mounted / name).write_text(text.replace("/data/flights/", f"{folder}/").replace(service, url))
    return mounted


def check(text: str, model: Any, sink: Path) -> None:
    departed = [row for row in flights.rows(text) if row["dep_time"]]
    written = [json.loads(line) for line in sink.read_text().splitlines()]
    keys = ("year", "month", "day", "carrier", "flight", "origin", "sched_dep_time")
    assert [[str(record[key]) for key in keys] for record in written] == [
        [row[key] for key in keys] for row in departed
    ]
    expected = model.predict_proba([train.features(row) for row in departed])[:, 1]
    assert max(abs(expected - [record["probability"] for record in written])) <= 1e-9
