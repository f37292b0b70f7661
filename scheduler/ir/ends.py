"""From source to sink: each flow takes what the one before it gives, and the IR's own channels fit at both ends."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from scheduler.ir.fields import Fault
from scheduler.model import alike, following, record_fit
from scheduler.model.pipeline import DataChannel, RecordSchema, ScoringFlow
from scheduler.model.types import Document


def faults(
    document: Document, *, flows: Mapping[str, ScoringFlow], channels: Mapping[str, DataChannel]
) -> Iterator[Fault]:
    """Everything between the ends of this ScoringPipeline that cannot be right; what could not be built is passed over.

    A channel that the IR does not have may be the environment's: nothing is said of it here.
    """
    spec = document["spec"]
    ordered = [flows.get(name) for name in spec["flows"]]
    yield from _chain(ordered)
    source, sink = spec["source"]["channel"], spec["sink"]["channel"]
    yield from _direction("source", source, "source", channels)
    yield from _direction("sink", sink, "sink", channels)
    if "deadLetters" in spec:
        yield from _direction("deadLetters", spec["deadLetters"]["channel"], "sink", channels)
    first, last = ordered[0], ordered[-1]
    if source in channels and channels[source].direction == "source" and first is not None:
        yield from _schema("source", channels[source].schema, first.input, f"channel '{source}'")
    if source in channels and channels[source].direction == "source":
        why = following.misfit(spec["mode"], channels[source])
        if why:
            yield Fault(pointer="/spec/source/channel", message=f"channel '{source}' {why}")
    if sink in channels and channels[sink].direction == "sink" and last is not None:
        yield from _schema("sink", last.output, channels[sink].schema, f"flow '{last.name}'")


def _chain(ordered: Sequence[ScoringFlow | None]) -> Iterator[Fault]:
    for number, (before, after) in enumerate(itertools.pairwise(ordered), start=1):
        if before is None or after is None or before is after:
            continue
        why = _why(before.output, after.input)
        if why:
            message = f"flow '{after.name}' does not take what '{before.name}' gives: {why}"
            yield Fault(pointer=f"/spec/flows/{number}", message=message)


def _direction(role: str, name: str, direction: str, channels: Mapping[str, DataChannel]) -> Iterator[Fault]:
    channel = channels.get(name)
    if channel is not None and channel.direction != direction:
        others = [other.name for other in channels.values() if other.direction == direction]
        message = f"channel '{name}' is a {channel.direction}, a {direction} is needed"
        candidates = tuple(alike.nearest_first(name, others))
        yield Fault(pointer=f"/spec/{role}/channel", message=message, candidates=candidates)


def _schema(role: str, given: RecordSchema, wanted: RecordSchema, giver: str) -> Iterator[Fault]:
    why = _why(given, wanted)
    if why:
        message = f"{giver} gives '{given.name}', '{wanted.name}' is taken: {why}"
        yield Fault(pointer=f"/spec/{role}/channel", message=message)


def _why(given: RecordSchema, wanted: RecordSchema) -> str:
    if given is wanted:
        return ""
    every = list(record_fit.differences(given.fields, wanted.fields))
    more = f" and {len(every) - 5} more" if len(every) > 5 else ""
    return ", ".join(every[:5]) + more
