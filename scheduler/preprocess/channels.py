"""Which data channel a name stands for: looked up by name and schema, the IR's own first, then the environment's."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from scheduler import expressions
from scheduler.errors import InvalidInputError
from scheduler.model import following, record_fit
from scheduler.model.alike import nearest
from scheduler.model.pipeline import DataChannel, ScoringPipeline
from scheduler.model.problem import Problem

Role: TypeAlias = Literal["source", "sink", "deadLetters"]
BUILT_TYPES: Final = ("file", "test")
_CLAIM: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """The ends of a job; expressions applied, the source with the job's data version."""

    source: DataChannel
    sink: DataChannel
    dead_letters: DataChannel | None = None

    def all(self) -> tuple[DataChannel, ...]:
        ends = (self.source, self.sink, self.dead_letters)
        return tuple(sorted((end for end in ends if end is not None), key=lambda channel: channel.name))


def resolve(
    pipeline: ScoringPipeline,
    *,
    registry: Sequence[DataChannel],
    data_versions: Mapping[str, str],
    own_scope: expressions.Scope,
    registry_scope: expressions.Scope,
) -> tuple[Channels | None, tuple[Problem, ...]]:
    """The pipeline's channels, and every problem with them; no channels when there is a problem.

    Expressions of the IR's own channels see `own_scope`, those of the environment's see `registry_scope`.
    """
    names = _names(pipeline)
    problems = list(_unknown_versions(pipeline, data_versions))
    hidden = {channel.name for channel in pipeline.channels}
    known = (*pipeline.channels, *(channel for channel in registry if channel.name not in hidden))
    found: dict[Role, DataChannel] = {}
    for role, name in names.items():
        channel, faults = _find(pipeline, role, name, known)
        if channel is not None:
            scope = own_scope if name in hidden else registry_scope
            channel, more = _applied(channel, scope, pointer=f"/spec/{role}/channel", pipeline=pipeline)
            # the job's word before the pipeline's, the pipeline's before the channel's
            declared = (role == "source" and pipeline.source.data_version) or channel.data_version
            found[role] = replace(channel, data_version=data_versions.get(name, declared))
            faults = (*faults, *more)
        problems.extend(faults)
    problems.extend(_same_file(pipeline, found))
    if problems:
        return None, tuple(problems)
    return Channels(source=found["source"], sink=found["sink"], dead_letters=found.get("deadLetters")), ()


def registered(pipeline: ScoringPipeline) -> frozenset[str]:
    """The channels that the pipeline needs and does not bring: they are the environment's."""
    return frozenset(_names(pipeline).values()) - {channel.name for channel in pipeline.channels}


def described(channel: DataChannel) -> str:
    """A candidate as a Problem lists it: `flights (source, file, schema flight)`."""
    return f"{channel.name} ({channel.direction}, {channel.type}, schema {channel.schema.name})"


def _names(pipeline: ScoringPipeline) -> Mapping[Role, str]:
    names: dict[Role, str] = {"source": pipeline.source.channel, "sink": pipeline.sink.channel}
    if pipeline.dead_letters is not None:
        names["deadLetters"] = pipeline.dead_letters.channel
    return names


def _find(
    pipeline: ScoringPipeline, role: Role, name: str, known: Sequence[DataChannel]
) -> tuple[DataChannel | None, tuple[Problem, ...]]:
    direction = "source" if role == "source" else "sink"

    def problem(message: str, channels: Sequence[DataChannel]) -> tuple[None, tuple[Problem, ...]]:
        return None, (_problem(pipeline, role, message, tuple(described(channel) for channel in channels)),)

    named = [channel for channel in known if channel.name == name]
    fitting = _nearest_first(
        name, [item for item in known if item.direction == direction and not _misfit(pipeline, role, item)]
    )
    chosen = [channel for channel in named if channel in fitting]
    if len(chosen) == 1:
        return chosen[0], ()
    if len(chosen) > 1:
        return problem(f"'{name}' is ambiguous: {len(chosen)} {direction} channels of that name fit", chosen)
    if not named:
        what = f"no data channel is named '{name}' in the pipeline or its environment"
        return problem(what, fitting or _nearest_first(name, known))
    why = "; ".join(dict.fromkeys(_why(pipeline, role, channel) for channel in named))
    return problem(f"data channel '{name}' {why}", fitting or named)


def _nearest_first(name: str, known: Sequence[DataChannel]) -> list[DataChannel]:
    order = nearest(name, [channel.name for channel in known])
    return sorted(
        (channel for channel in known if channel.name in order), key=lambda channel: order.index(channel.name)
    )


def _why(pipeline: ScoringPipeline, role: Role, channel: DataChannel) -> str:
    if role == "source" and channel.direction == "sink":
        return "is a sink; a source is needed"
    if role != "source" and channel.direction == "source":
        return "is a source; a sink is needed"
    return _misfit(pipeline, role, channel)


def _misfit(pipeline: ScoringPipeline, role: Role, channel: DataChannel) -> str:
    """Why the channel's type or schema does not fit; empty when they do. Dead letters bring their own form."""
    if channel.type not in BUILT_TYPES:
        return f"is of type '{channel.type}', which is not built yet (built: {', '.join(map(repr, BUILT_TYPES))})"
    if role == "deadLetters":
        return ""
    if role == "source" and (why := following.misfit(pipeline.mode, channel)):
        return why
    flow = pipeline.flows[0 if role == "source" else -1]
    verb, end = ("reads", flow.input) if role == "source" else ("writes", flow.output)
    given, wanted = (channel.schema, end) if role == "source" else (end, channel.schema)
    faults = ", ".join(record_fit.differences(given.fields, wanted.fields))
    return f"has schema '{channel.schema.name}', flow '{flow.name}' {verb} '{end.name}': {faults}" if faults else ""


def _applied(
    channel: DataChannel, scope: expressions.Scope, *, pointer: str, pipeline: ScoringPipeline
) -> tuple[DataChannel, tuple[Problem, ...]]:
    own = channel in pipeline.channels
    document = f"DataChannel/{channel.name}" if own else f"ScoringPipeline/{pipeline.name}"
    config: dict[str, object] = {}
    problems: list[Problem] = []
    for key, value in channel.config.items():
        where = f"/spec/config/{key}" if own else pointer
        try:
            is_text = isinstance(value, str)
            config[key] = (
                expressions.apply_text(str(value), scope, document=document, pointer=where) if is_text else value
            )
        except InvalidInputError as error:
            problems.extend(error.problems)
            continue
        if fault := _config_fault(key, config[key]):
            problems.append(Problem(message=f"channel '{channel.name}': {fault}", document=document, pointer=where))
    return replace(channel, config=config), tuple(problems)


def _config_fault(key: str, value: object) -> str:
    """A parameter may have changed what was right before."""
    text = str(value)
    if key == "volume" and _CLAIM.fullmatch(text) is None:
        return f"'{text}' cannot be the name of a PersistentVolumeClaim (a-z, 0-9, '-' and '.')"
    outside = text.startswith("/") or ".." in text.split("/") or not posixpath.basename(text)
    if key == "path" and (outside or not text.isprintable()):
        return f"'{text}' is no path of a file inside the volume, such as 'flights/2013.csv'"
    return ""


def _same_file(pipeline: ScoringPipeline, found: Mapping[Role, DataChannel]) -> Iterator[Problem]:
    """Two ends at one path: the commit of one would destroy the other. A place that could not be applied is none."""
    taken: dict[tuple[object, str], Role] = {}
    for role, channel in found.items():
        if channel.type != "file" or not {"volume", "path"} <= channel.config.keys():
            continue
        place = (channel.config["volume"], posixpath.normpath(str(channel.config["path"])))
        other = taken.setdefault(place, role)
        if other != role:
            message = f"'{channel.name}' is the file '{place[1]}' on volume '{place[0]}', and so is the {other}"
            yield _problem(pipeline, role, f"{message}; each needs its own")


def _unknown_versions(pipeline: ScoringPipeline, data_versions: Mapping[str, str]) -> Iterator[Problem]:
    for name in sorted(set(data_versions) - {pipeline.source.channel}):
        yield Problem(
            message=f"'{name}' is not this pipeline's source; only what is read has a data version",
            document="job",
            pointer=f"/dataVersions/{name.replace('~', '~0').replace('/', '~1')}",
            candidates=(pipeline.source.channel,),
        )


def _problem(pipeline: ScoringPipeline, role: Role, message: str, candidates: tuple[str, ...] = ()) -> Problem:
    return Problem(
        message=message,
        document=f"ScoringPipeline/{pipeline.name}",
        pointer=f"/spec/{role}/channel",
        candidates=candidates,
    )
