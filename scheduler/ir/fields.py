"""Records through every step: which fields are there, of which types, and whether they are what the next one takes.

After a `map` the fields are what Bloblang makes of them and nobody knows here: only what is known is checked, so that
nothing right is refused. Whether a null can reach a model depends on filters and is not judged either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scheduler.ir import pointer, words
from scheduler.model import alike
from scheduler.model.pipeline import Field, FilterStep, MapStep, Model, ScoreStep, ScoringFlow
from scheduler.model.record_fit import fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something wrong at a pointer into the flow's document."""

    pointer: str
    message: str
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of the records at one point of a flow."""

    fields: Mapping[str, Field] = field(default_factory=dict)
    is_all: bool = True
    """False once a `map` may have added or removed fields."""


def faults(flow: ScoringFlow, models: Mapping[str, Model]) -> Iterator[Fault]:
    """Everything in the flow that cannot be right; `models` are those that could be built."""
    known = _Known(fields={each.name: each for each in flow.input.fields})
    for number, step in enumerate(flow.steps):
        match step:
            case FilterStep():
                pass
            case MapStep():
                known = _Known(is_all=False)
            case ScoreStep():
                at = ("spec", "steps", number, "score")
                model = models.get(step.model)
                yield from _inputs(step, model, known, at)
                taken, fault = _output(step, model, at)
                if fault is not None:
                    yield fault
                others = {name: each for name, each in known.fields.items() if name != step.output}
                known = _Known(fields={**others, **taken}, is_all=known.is_all and bool(taken))
    yield from _end(flow, known)


def _inputs(step: ScoreStep, model: Model | None, known: _Known, at: tuple[str | int, ...]) -> Iterator[Fault]:
    wanted = {each.name: each for each in model.inputs.fields} if model is not None else {}
    free = [name for name in wanted if name not in step.inputs]
    meant: set[str] = set()
    for number, name in enumerate(step.inputs):
        here = pointer.join([*at, "inputs", number])
        if name in step.inputs[:number]:
            yield Fault(pointer=here, message=f"the input '{name}' stands here twice")
        elif known.is_all and name not in known.fields:
            meant.update(alike.close(name, free)[:1])
            message = f"the record has no field '{name}' at this step"
            yield Fault(pointer=here, message=message, candidates=_near(name, known.fields))
        elif model is not None and name not in wanted:
            meant.update(alike.close(name, free)[:1])
            yield Fault(
                pointer=here, message=f"model '{model.name}' has no input '{name}'", candidates=_near(name, free)
            )
        elif model is not None and name in known.fields and not fits(known.fields[name].type, wanted[name].type):
            message = f"'{name}' is {known.fields[name].type}, model '{model.name}' takes {wanted[name].type}"
            yield Fault(pointer=here, message=message)
    missing = [name for name in free if wanted[name].required and name not in meant]
    if model is not None and missing:
        message = f"model '{model.name}' also takes {words.either(missing[:8], last='and')}"
        yield Fault(pointer=pointer.join([*at, "inputs"]), message=message)


def _output(
    step: ScoreStep, model: Model | None, at: tuple[str | int, ...]
) -> tuple[Mapping[str, Field], Fault | None]:
    """The field that the step adds, and what is wrong with its choice."""
    if model is None:
        return {}, None
    outputs = {each.name: each for each in model.outputs.fields}
    if step.model_output:
        chosen = outputs.get(step.model_output)
        message = f"model '{model.name}' has no output '{step.model_output}'"
        here = pointer.join([*at, "modelOutput"])
    else:
        chosen = outputs.get(step.output) or (model.outputs.fields[0] if len(outputs) == 1 else None)
        message = f"model '{model.name}' has several outputs and none is named '{step.output}': choose by modelOutput"
        here = pointer.join([*at, "output"])
    if chosen is None:
        name = step.model_output or step.output
        return {}, Fault(pointer=here, message=message, candidates=_near(name, outputs))
    return {step.output: chosen}, None


def _end(flow: ScoringFlow, known: _Known) -> Iterator[Fault]:
    here = "/spec/output/schema"
    for want in flow.output.fields:
        have = known.fields.get(want.name)
        if have is None:
            if known.is_all and want.required:
                message = f"no step makes the field '{want.name}' of schema '{flow.output.name}'"
                yield Fault(pointer=here, message=message, candidates=_near(want.name, known.fields))
        elif not fits(have.type, want.type):
            message = f"'{want.name}' is {have.type}, schema '{flow.output.name}' says {want.type}"
            yield Fault(pointer=here, message=message)


def _near(name: str, known: Mapping[str, Field] | Sequence[str]) -> tuple[str, ...]:
    return tuple(alike.nearest_first(name, known))
