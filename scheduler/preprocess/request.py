"""What a job asks for and what the platform offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scheduler.model.pipeline import DataChannel, Scalar
from scheduler.preprocess.services import ScoringServer
from scheduler.settings import Globals


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """All that pre-processing takes beside the pipeline."""

    job_id: str
    environment: str
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    deadlines: Mapping[str, int] = field(default_factory=dict)
    """Phase (queue, install, ready, run, finish) -> seconds, over the pipeline's own."""
    registry: Sequence[DataChannel] = ()
    """The environment's data channels."""
    globals_: Globals = field(default_factory=Globals)
    images: Mapping[str, str] = field(default_factory=dict)
    """Program -> image reference by digest."""
    scoring_servers: Sequence[ScoringServer] = ()
    revision: int | None = None
    data_versions: Mapping[str, str] = field(default_factory=dict)
    """Source channel -> version of the data to read."""
    ir_digest: str = ""
    ir_bytes: int = 0
    """Size of `ir.json`, which shares a ConfigMap with the Values."""
