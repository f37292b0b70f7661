"""Folder, text or documents → ScoringPipeline, or every problem at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from scheduler.errors import InvalidInputError
from scheduler.ir import build, check, folder, gather, limits, model_files, normal
from scheduler.ir.folder import Text
from scheduler.ir.front_end import FrontEnd
from scheduler.ir.gather import Gathered
from scheduler.ir.not_built import MODEL_TYPES
from scheduler.ir.source import Source
from scheduler.model import canonical
from scheduler.model.pipeline import DataChannel, ScoringPipeline
from scheduler.model.problem import Problem
from scheduler.model.types import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A checked IR."""

    pipeline: ScoringPipeline
    documents: tuple[Document, ...]
    """What was loaded, in the one form of `ir.normal`."""
    digest: str
    """`sha256:…` of the canonical bytes of `documents`."""
    artifacts: Mapping[str, Path] = field(default_factory=dict)
    """Model -> its file; only of a folder, without models whose digest is given and whose file is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedChannel:
    """A checked data channel for the registry, with the two documents that it is made of."""

    channel: DataChannel
    document: Document
    schema: Document


def from_folder(
    path: Path | str,
    *,
    front_ends: Sequence[FrontEnd] = (),
    fill_digests: bool = False,
    model_types: Collection[str] | None = MODEL_TYPES,
) -> Loaded:
    """The IR of all `*.yaml`, `*.yml` and `*.json` files below a folder (or of one such file).

    Each model's file is there and has the digest that its document gives. With `fill_digests` those that give none get
    the digest of their file, in pipeline and documents alike. NotFoundError when there is no such file at `path`.
    `model_types` are those that there are scoring servers for; None: it is for another to know them.
    """
    start = Path(path)
    gathered = gather.texts(folder.texts(start), front_ends=front_ends)
    checked = check.documents(gathered.documents, is_complete=gathered.is_complete, model_types=model_types)
    root = start if start.is_dir() else start.parent
    found = {each.name: model_files.find(each, root) for each in checked.whole if each.kind == "Model"}
    problems = [one.problem for one in found.values() if one.problem is not None]
    files = {name: one.file for name, one in found.items() if one.file is not None}
    loaded = _loaded(gathered, checked, problems, {name: file.path for name, file in files.items()})
    return _with_digests(loaded, {name: file.sha256 for name, file in files.items()}) if fill_digests else loaded


def from_text(text: str | bytes, *, file: str = "", front_ends: Sequence[FrontEnd] = ()) -> Loaded:
    """The IR of one text; the files of its models are not looked for."""
    gathered = gather.texts([Text(file, text)], front_ends=front_ends)
    return _loaded(gathered, check.documents(gathered.documents, is_complete=gathered.is_complete))


def from_documents(
    documents: Sequence[Document],
    *,
    sources: Sequence[Source] = (),
    front_ends: Sequence[FrontEnd] = (),
    require_digests: bool = True,
    model_types: Collection[str] | None = MODEL_TYPES,
) -> Loaded:
    """The IR of documents that were parsed elsewhere; `sources`, when given, has one entry for each.

    With `require_digests` a model without `sha256` is a Problem: nothing else tells which file it is. `model_types` as
    in `from_folder`.
    """
    gathered = gather.given(documents, sources=sources, front_ends=front_ends)
    checked = check.documents(gathered.documents, is_complete=gathered.is_complete, model_types=model_types)
    problems: list[Problem] = []
    if require_digests:
        message = "'sha256' is missing; `modelops deploy` writes it"
        problems += [
            each.problem(message, pointer="/spec")
            for each in checked.whole
            if each.kind == "Model" and "sha256" not in each.document["spec"]
        ]
    return _loaded(gathered, checked, problems)


def channels_from_text(text: str | bytes, *, file: str = "") -> tuple[LoadedChannel, ...]:
    """The DataChannels of one text, sorted by name, each with its RecordSchema; no other kinds, and at least one."""
    return _channels(gather.texts([Text(file, text)]))


def channels_from_documents(documents: Sequence[Document]) -> tuple[LoadedChannel, ...]:
    """Like `channels_from_text`, of documents that were parsed elsewhere."""
    return _channels(gather.given(documents))


def _loaded(
    gathered: Gathered,
    checked: check.Checked,
    problems: Sequence[Problem] = (),
    artifacts: Mapping[str, Path] | None = None,
) -> Loaded:
    _refuse([*gathered.problems, *checked.problems, *problems])
    documents = normal.documents([sourced.document for sourced in gathered.documents])
    pipeline = build.scoring_pipeline(
        next(document for document in documents if document["kind"] == "ScoringPipeline"),
        flows=checked.flows,
        models=checked.models,
        channels=tuple(checked.channels.values()),
    )
    digest = canonical.digest(documents)
    return Loaded(pipeline=pipeline, documents=documents, digest=digest, artifacts=artifacts or {})


def _with_digests(loaded: Loaded, digests: Mapping[str, str]) -> Loaded:
    models = tuple(replace(model, sha256=digests.get(model.name, model.sha256)) for model in loaded.pipeline.models)
    documents = tuple(normal.with_digest(document, digests) for document in loaded.documents)
    return Loaded(
        pipeline=replace(loaded.pipeline, models=models),
        documents=documents,
        digest=canonical.digest(documents),
        artifacts=loaded.artifacts,
    )


def _channels(gathered: Gathered) -> tuple[LoadedChannel, ...]:
    checked = check.documents(gathered.documents, is_complete=gathered.is_complete, is_pipeline=False)
    other = check.only_channels(gathered.documents) if gathered.is_complete else ()
    _refuse([*gathered.problems, *checked.problems, *other])
    documents = normal.documents([sourced.document for sourced in gathered.documents])
    by_name = {(document["kind"], document["metadata"]["name"]): document for document in documents}
    return tuple(
        LoadedChannel(
            channel=channel,
            document=by_name["DataChannel", name],
            schema=by_name["RecordSchema", channel.schema.name],
        )
        for name, channel in sorted(checked.channels.items())
    )


def _refuse(problems: Sequence[Problem]) -> None:
    """InvalidInputError when there is any problem: by file and line, each once."""
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line))
    if not ordered:
        return
    if len(ordered) > limits.PROBLEMS:
        message = f"there are more problems; the first {limits.PROBLEMS:,} are listed"
        ordered = [*ordered[: limits.PROBLEMS], Problem(message=message)]
    raise InvalidInputError(ordered)
