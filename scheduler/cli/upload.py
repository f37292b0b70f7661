"""Brings the files of an IR's models to the artifact store: those that are not there."""

from __future__ import annotations

import sys

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from scheduler.artifacts.client import ModelopsClient
from scheduler.cli import output
from scheduler.ir.load import Loaded


def models(loaded: Loaded, client: ModelopsClient) -> tuple[str, ...]:
    """Names of the models whose files were sent; shows how far it is on a terminal."""
    files = {model.name: model for model in loaded.pipeline.models if model.name in loaded.artifacts}
    absent = [model for model in files.values() if not client.has_artifact(model.sha256)]
    with _progress() as progress:
        for model in absent:
            path = loaded.artifacts[model.name]
            bar = progress.add_task(output.clean(model.name), total=path.stat().st_size)
            client.upload(path, sha256=model.sha256, tell=lambda count, bar=bar: progress.advance(bar, count))  # type: ignore[misc]
    return tuple(model.name for model in absent)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=output.console(sys.stderr),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
