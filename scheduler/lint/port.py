"""What whoever submits a job asks of the engine before anything touches the cluster."""

from __future__ import annotations

from typing import Protocol

from scheduler.model.problem import Problem


class Lint(Protocol):
    def check(self, engine: str) -> tuple[Problem, ...]:
        """Every problem of a compiled flow's configuration; none when the engine would load it.

        `Problem.pointer` is that of the configuration, `line` its line, and the message names the step. Nothing that
        the configuration says can read the environment or a file of this machine, or outlive the call. Raises
        UnavailableError when there is no engine to ask, ProgramError when it does not answer.
        """
        ...
