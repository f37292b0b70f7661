"""Runs `modelops` as a reader would type it, and shows what is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from scheduler.demo.installation import Platform
from scheduler.errors import ProgramError

console = Console(highlight=False)


def heading(text: str) -> None:
    console.print(f"\n[bold]== {text}[/bold]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The command line program with its own login, so that the reader's is left alone."""

    platform: Platform
    config: Path

    def show(self, *arguments: str, may_fail: bool = False) -> int:
        """Run a command with its output on the terminal; its exit code."""
        console.print(f"[dim]$ modelops {' '.join(arguments)}[/dim]")
        done = subprocess.run(self._command(*arguments), env=self._environ, check=False)
        if done.returncode != 0 and not may_fail:
            raise ProgramError(f"`modelops {' '.join(arguments)}` ended with {done.returncode}")
        return done.returncode

    def json(self, *arguments: str) -> Any:
        """The answer of a command as JSON."""
        console.print(f"[dim]$ modelops {' '.join(arguments)}[/dim]")
        command = self._command(*arguments, "--output", "json")
        done = subprocess.run(command, env=self._environ, check=False, stdout=subprocess.PIPE)
        if done.returncode != 0:
            raise ProgramError(f"`modelops {' '.join(arguments)}` ended with {done.returncode}")
        return json.loads(done.stdout)

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "scheduler", *arguments]

    @property
    def _environ(self) -> Mapping[str, str]:
        return {**self.platform.environ, "MODELOPS_CONFIG": str(self.config)}
