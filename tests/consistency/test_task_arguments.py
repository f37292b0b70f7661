"""The Tasks of Tekton start the task programs with arguments that they take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scheduler import assets, names
from scheduler.tasks import __main__ as program

FILES = sorted((assets.tekton() / "tasks").glob("*.yaml"))


def step(file: Path) -> dict[str, Any]:
    (found,) = yaml.safe_load(file.read_text())["spec"]["steps"]
    made: dict[str, Any] = found
    return made


def test_there_is_a_task_for_each_program() -> None:
    assert {step(file)["name"] for file in FILES} == set(names.TASKS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_task_starts_its_program_with_what_it_takes(file: Path) -> None:
    found = step(file)
    command, task = found["command"][:-1], found["command"][-1]
    arguments = [re.sub(r"\$\([^)]*\)", "7", argument) for argument in found["args"]]

    assert command == ["python3", "-m", "scheduler.tasks"]
    assert task == found["name"]
    options = program.parser().parse_args([task, *arguments])
    assert (options.task, options.job_id) == (task, "7")
