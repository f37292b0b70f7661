"""The whole path of a job in plain values: IR and request to Values and PipelineRun."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scheduler import names
from scheduler.ir import load
from scheduler.jobs import scoring_servers
from scheduler.model import canonical
from scheduler.model.job import Submission
from scheduler.model.types import Manifest
from scheduler.preprocess import resolve
from scheduler.preprocess.resolve import Request, Resolved
from scheduler.settings import Globals
from scheduler.tekton import job_input, pipeline_run
from scheduler.tekton.job_input import JobInput

FOLDER: Final = Path(__file__).resolve().parent
ALL: Final = tuple(sorted(path.parent.name for path in FOLDER.glob("*/request.json")))
PROGRAMS: Final = ("streaming-runtime", "scoring-server-pmml", "scoring-server-python")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One folder: `ir/`, what the environment has (`channels.yaml`), and what the job asks for (`request.json`)."""

    name: str
    request: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    @property
    def globals_(self) -> Globals:
        given = dict(self.request.get("globals", {}))
        given["image_pull_secrets"] = tuple(given.get("image_pull_secrets", ()))
        return Globals(**given)


def read(name: str) -> Case:
    return Case(name=name, request=json.loads((FOLDER / name / "request.json").read_text()))


def image(program: str) -> str:
    return f"modelops/{program}@{canonical.digest(program)}"


def resolved(case: Case, *, globals_: Globals | None = None) -> Resolved:
    loaded = load.from_folder(case.folder / "ir")
    channels = case.folder / "channels.yaml"
    registered = load.channels_from_text(channels.read_text()) if channels.exists() else ()
    asked = case.request
    request = Request(
        job_id=names.job_id(namespace=asked["environment"], key=asked["key"]),
        environment=asked["environment"],
        parameters=asked.get("parameters", {}),
        deadlines=asked.get("deadlines", {}),
        registry=[entry.channel for entry in registered],
        globals_=globals_ or case.globals_,
        images={program: image(program) for program in PROGRAMS},
        scoring_servers=scoring_servers.installed(),
        revision=asked.get("revision"),
        data_versions=asked.get("dataVersions", {}),
        ir_digest=loaded.digest,
        ir_bytes=len(canonical.json_bytes(list(loaded.documents))),
    )
    return resolve.values(loaded.pipeline, request=request)


def given(case: Case, made: Resolved) -> JobInput:
    """The job, as somebody submitted it at some time."""
    asked = case.request
    about = made.values["global"]["job"]
    submission = Submission(
        pipeline=about["pipeline"],
        revision=about["revision"],
        parameters=asked.get("parameters", {}),
        labels=asked.get("labels", {}),
        deadlines=made.deadlines.by_phase,
        trigger=asked.get("trigger"),
        data_versions=made.data_versions,
        submitted_by="ann",
        submitted_at="2026-01-01T00:00:00Z",
        digests={"ir": about["irDigest"], "values": made.values_digest, "models": made.models, "images": made.images},
    )
    return JobInput(
        job_id=about["id"],
        namespace=about["environment"],
        submission=submission,
        body_digest=canonical.digest(dict(asked)),
        ir_digest=about["irDigest"],
        values_digest=made.values_digest,
    )


def config_map(case: Case, made: Resolved) -> Manifest:
    ir = canonical.json_bytes(list(load.from_folder(case.folder / "ir").documents)).decode()
    return job_input.build(given(case, made), ir=ir, values=made.values_text)


def run(case: Case, made: Resolved) -> Manifest:
    """The PipelineRun, as the server would create it."""
    return pipeline_run.build(
        pipeline_run.Request(
            input=given(case, made),
            task_image=image("scheduling-server"),
            priority_class="modelops-modelops-task",
            log_level=case.globals_.log_level,
            pull_secrets=case.globals_.image_pull_secrets,
            platform="modelops.modelops",
        )
    )
