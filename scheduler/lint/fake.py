"""A lint for tests without the engine: it refuses what every lint must refuse, and what it is told to refuse."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import yaml

from scheduler.lint import place
from scheduler.model.problem import Problem

_IMPURE: Final = re.compile(r"\b(env|file|file_rel|hostname)\s*\(|\b(import|from)\s+\"")


class FakeLint:
    """Finds text that is no YAML, `${`, functions that reach out, imports, and the words of `refused`."""

    def __init__(self, refused: Mapping[str, str] | None = None) -> None:
        self._refused = dict(refused or {})
        self.checked: list[str] = []
        """Every configuration that was asked about."""

    def check(self, engine: str) -> tuple[Problem, ...]:
        self.checked.append(engine)
        try:
            yaml.safe_load(engine)
        except yaml.YAMLError as error:
            return (Problem(message=f"not YAML: {error}", document="engine configuration", line=1),)
        found: list[Problem] = []
        for number, text in enumerate(engine.splitlines(), start=1):
            found.extend(self._problem(engine, number, what) for what in self._faults(text))
        return tuple(found)

    def _faults(self, text: str) -> list[str]:
        faults = [message for word, message in self._refused.items() if word in text]
        if match := _IMPURE.search(text.replace('\\"', '"')):
            faults.append(f"unrecognised function or import: {match.group().strip()}")
        if "${" in text and "\\u0024{" not in text:
            faults.append("required environment variables were not set")
        return faults

    @staticmethod
    def _problem(engine: str, line: int, what: str) -> Problem:
        where = place.find(engine, line)
        message = f"step '{where.step}': {what}" if where.step else what
        return Problem(message=message, document="engine configuration", pointer=where.pointer, line=line)
