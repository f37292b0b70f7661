"""Flows outside of a cluster: runner, engine and scoring server as processes of this machine, on a folder's files."""

from __future__ import annotations

import json
import resource
import shutil
import time
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, Final

from scheduler.demo import flights, train
from scheduler.flow import config, control, engine, runner
from scheduler.flow.completion import Completion
from scheduler.ir import load
from scheduler.model import tensors
from scheduler.model.pipeline import FilterStep, ScoringPipeline
from scheduler.preprocess import resolve
from scheduler.preprocess.request import Request
from scheduler.preprocess.services import ScoringServer
from tests import programs
from tests.bench import servers

DEMO: Final = Path(flights.__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    end: Completion
    seconds: float
    engine_seconds: float
    """Processor time."""
    sink: Path

    @property
    def per_second(self) -> float:
        return (self.end.total or 0) / self.seconds


def pipeline(folder: Path, *, models: Path, form: str) -> ScoringPipeline:
    """The demonstration's, in `folder`, with the model that `train.write` put into `models`; `form`: joblib or pmml."""
    shutil.copytree(models, folder / "models")
    for name in ("pipeline.yaml", f"model-{form}.yaml"):
        shutil.copy(DEMO / "ir" / name, folder / name)
    return load.from_folder(folder, fill_digests=True).pipeline


def without_model(given: ScoringPipeline) -> ScoringPipeline:
    """The same source and sink, and of the steps the filter alone."""
    flow = given.flows[0]
    steps = tuple(step for step in flow.steps if isinstance(step, FilterStep))
    return replace(given, flows=(replace(flow, steps=steps, output=flow.input),), models=())


def server(given: ScoringPipeline, folder: Path) -> Any:
    """The scoring server of the pipeline's model: a context that gives its port."""
    model = given.models[0]
    return servers.modelops(
        folder,
        file=folder / model.artifact,
        type_=model.type,
        inputs=[tensors.as_values(tensor) for tensor in tensors.of_schema(model.inputs)],
        outputs=[tensors.as_values(tensor) for tensor in tensors.of_schema(model.outputs)],
    )


def run(given: ScoringPipeline, folder: Path, *, source: str, port: int = 0) -> Ran:
    """The flow over `source`, from the runner's start to the published result."""
    folder.mkdir()
    (folder / "flights.csv").write_text(source)
    mounted = _mounted(given, folder, f"http://127.0.0.1:{port}")
    before, began = _child_seconds(), time.monotonic()
    end = runner.run(
        config.load(mounted),
        (mounted / "engine.yaml").read_text(),
        board=control.Board(),
        attempt="bench",
        place=engine.Place(program=programs.bento(), port=servers.free_port()),
    )
    seconds = time.monotonic() - began
    assert end.message == ""
    return Ran(end=end, seconds=seconds, engine_seconds=_child_seconds() - before, sink=folder / "delays.jsonl")


def departed(source: str) -> list[dict[str, str]]:
    return [row for row in flights.rows(source) if row["dep_time"]]


def features(source: str) -> list[list[float]]:
    """What the flow sends to the model."""
    return [train.features(row) for row in departed(source)]


def _child_seconds() -> float:
    """Processor time of the child processes that have ended: the engine's, as the server goes on."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _mounted(given: ScoringPipeline, folder: Path, url: str) -> Path:
    """What is mounted into the flow's pod, with this folder for the volume and `url` for the Service."""
    texts = [path.read_text() for path in sorted((DEMO / "channels").glob("*.yaml"))]
    if not given.models:  # what is written then is what was read
        texts = [text.replace("scored-flight", "flight") for text in texts]
    registry = [loaded.channel for text in texts for loaded in load.channels_from_text(text)]
    if not given.models:
        registry = [replace(channel, schema=given.flows[0].output) for channel in registry]
    types = {"scoring-server-python": ("python-binary",), "scoring-server-pmml": ("pmml",)}
    resolved = resolve.values(
        given,
        request=Request(
            job_id="j" + "a" * 20,
            environment="staging",
            registry=registry,
            scoring_servers=[ScoringServer(chart=chart, types=of) for chart, of in types.items()],
            images=dict.fromkeys(("streaming-runtime", *types), "i@sha256:" + "0" * 64),
        ),
    )
    compiled = resolved.flows[0]
    mounted = folder / "config"
    mounted.mkdir()
    moved = {"/data/flights/": f"{folder}/", **{service["url"]: url for service in compiled.runner["services"]}}
    for name, text in (("engine.yaml", compiled.engine), ("runner.json", json.dumps(dict(compiled.runner)))):
        (mounted / name).write_text(reduce(lambda done, pair: done.replace(*pair), moved.items(), text))
    return mounted
