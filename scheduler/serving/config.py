"""`models.json`: which models a scoring server serves, where their files are and what they take and give."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scheduler.errors import InvalidInputError
from scheduler.model.problem import Problem
from scheduler.model.tensors import DATATYPES, Tensor
from scheduler.serving.signature import Signature

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """One model of this server."""

    name: str
    type: str
    """pmml | python-script | python-binary"""
    sha256: str
    path: Path
    """`/models/<sha256>` unless the configuration says otherwise."""
    signature: Signature

    @property
    def version(self) -> str:
        """The only version there is: the first twelve digits of the sha256, so that an answer tells its model."""
        return self.sha256[:12]


def load(path: Path, *, models: Path, most_rows: int = 65536) -> tuple[ModelConfig, ...]:
    """The models listed in `path`; InvalidInputError with all problems."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidInputError([Problem(message=str(error), file=str(path))]) from error
    problems: list[Problem] = []
    listed = document.get("models") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not listed:
        raise InvalidInputError([Problem(message="'models' must list at least one model", file=str(path))])
    configs = [
        _model(item, place, models=models, most_rows=most_rows, problems=problems) for place, item in enumerate(listed)
    ]
    names = [config.name for config in configs if config]
    problems += [
        Problem(message=f"model {name!r} is listed twice", pointer="/models")
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    if problems:
        raise InvalidInputError(problems)
    return tuple(config for config in configs if config)


def _model(
    item: Mapping[str, Any], place: int, *, models: Path, most_rows: int, problems: list[Problem]
) -> ModelConfig | None:
    pointer = f"/models/{place}"
    before = len(problems)
    absent = [key for key in ("name", "type", "sha256") if not isinstance(item.get(key), str) or not item[key]]
    problems.extend(Problem(message=f"'{key}' must be a text", pointer=pointer) for key in absent)
    if isinstance(item.get("sha256"), str) and not _SHA256.fullmatch(item["sha256"]):
        problems.append(Problem(message="'sha256' must be 64 hexadecimal digits", pointer=f"{pointer}/sha256"))
    inputs = _tensors(item.get("inputs"), f"{pointer}/inputs", problems)
    outputs = _tensors(item.get("outputs"), f"{pointer}/outputs", problems)
    if len(problems) > before:
        return None
    return ModelConfig(
        name=item["name"],
        type=item["type"],
        sha256=item["sha256"],
        path=Path(item.get("path") or models / item["sha256"]),
        signature=Signature(inputs=inputs, outputs=outputs, most_rows=most_rows),
    )


def _tensors(listed: object, pointer: str, problems: list[Problem]) -> tuple[Tensor, ...]:
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        problems.append(Problem(message="at least one tensor must be listed", pointer=pointer))
        return ()
    tensors: list[Tensor] = []
    for place, item in enumerate(listed):
        name, datatype = (item.get("name"), item.get("datatype")) if isinstance(item, dict) else (None, None)
        if not isinstance(name, str) or datatype not in DATATYPES:
            message = f"a tensor has a 'name' and a 'datatype' out of {', '.join(DATATYPES)}, this is {item!r}"
            problems.append(Problem(message=message, pointer=f"{pointer}/{place}"))
            continue
        tensors.append(Tensor(name=name, datatype=datatype, nullable=item.get("nullable") is True))
    return tuple(tensors)
