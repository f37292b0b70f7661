"""Steps of a flow as the engine's processors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scheduler.model import tensors
from scheduler.model.pipeline import Field, FilterStep, MapStep, Model, ScoreStep, ScoringFlow, Step
from scheduler.model.problem import Problem
from scheduler.preprocess.services import Candidate


def label(flow: ScoringFlow, step: Step) -> str:
    """What dead letters, failures and metrics call the step: `<flow>.<step>`."""
    return f"{flow.name}.{step.name}"


def kind(step: Step) -> str:
    match step:
        case MapStep():
            return "map"
        case FilterStep():
            return "filter"
        case ScoreStep():
            return "score"


def processor(flow: ScoringFlow, step: Step, routes: Mapping[str, tuple[Candidate, ...]]) -> dict[str, Any]:
    """One step that `check` has no problem with, its expressions applied."""
    common = {"step": label(flow, step), "on_error": step.on_error.value}
    match step:
        case MapStep():
            return {"modelops_map": {**common, "mapping": step.mapping}}
        case FilterStep():
            return {"modelops_filter": {**common, "condition": step.condition}}
        case ScoreStep():
            return {"modelops_score": {**common, **_score(step, routes[step.model][0])}}


def _score(step: ScoreStep, candidate: Candidate) -> dict[str, Any]:
    inputs = [field for field in candidate.model.inputs.fields if field.name in step.inputs]
    output = _output(step, candidate.model)
    if output is None:
        raise ValueError(f"model '{candidate.model.name}' has no output for step '{step.name}'")  # check() said so
    return {
        "model": candidate.model.name,
        "url": candidate.url,
        "rows": step.batch.count,
        "inputs": [_tensor(field) for field in inputs],
        "output": {
            "field": step.output,
            "tensor": output.name,
            "type": output.type.value,
            "nullable": output.nullable,
        },
    }


def _tensor(field: Field) -> dict[str, Any]:
    described: dict[str, Any] = {
        "field": field.name,
        "tensor": field.name,
        "datatype": tensors.DATATYPE[field.type],
        "type": field.type.value,
    }
    return {**described, "nullable": True} if field.nullable else described


def _output(step: ScoreStep, model: Model) -> Field | None:
    """The output that the step names, else the one named like its field, else the model's only one."""
    if step.model_output:
        return model.outputs.field(step.model_output)
    if (named := model.outputs.field(step.output)) is not None:
        return named
    return model.outputs.fields[0] if len(model.outputs.fields) == 1 else None


def check(flows: tuple[ScoringFlow, ...], routes: Mapping[str, tuple[Candidate, ...]]) -> Iterator[Problem]:
    """Every reason why a step cannot be compiled."""
    for flow in flows:
        for index, step in enumerate(flow.steps):
            for key, message, candidates in _faults(step, routes):
                yield Problem(
                    message=message,
                    document=f"ScoringFlow/{flow.name}",
                    pointer=f"/spec/steps/{index}/{key}",
                    candidates=candidates,
                )


def _faults(step: Step, routes: Mapping[str, tuple[Candidate, ...]]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Key of the step, what is wrong, and what would have been right."""
    match step:
        case MapStep(mapping=text):
            yield from _text_faults("map", text)
        case FilterStep(condition=text):
            yield from _text_faults("filter", text)
        case ScoreStep():
            yield from _score_faults(step, routes)


def _text_faults(key: str, text: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if "${" in text:
        yield key, "'${' is not allowed in a text: nothing of the environment is reachable from a step", ()
    if not text.strip():
        yield key, "is empty", ()


def _score_faults(
    step: ScoreStep, routes: Mapping[str, tuple[Candidate, ...]]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    candidates = routes.get(step.model, ())
    if len(candidates) != 1:
        message = f"model '{step.model}' has {len(candidates)} candidates; exactly one is built so far"
        yield "score/model", message, tuple(sorted(routes))
        return
    model = candidates[0].model
    known = tuple(field.name for field in model.inputs.fields)
    for name in step.inputs:
        if name not in known:
            yield "score/inputs", f"model '{model.name}' has no input '{name}'", known
    for field in model.inputs.fields:
        if field.name not in step.inputs and field.required:
            yield "score/inputs", f"input '{field.name}' of model '{model.name}' is required, but not given", ()
    if _output(step, model) is None:
        known = tuple(field.name for field in model.outputs.fields)
        wanted = f"'{step.model_output}'" if step.model_output else f"'{step.output}', and more than one other"
        yield "score/modelOutput", f"model '{model.name}' has no output {wanted}", known
