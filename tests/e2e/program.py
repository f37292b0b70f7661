"""The program `modelops`, as people and scripts run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scheduler.demo.installation import Platform

LIMIT_SECONDS: Final = 300
_OURS: Final = ("MODELOPS_HOME", "MODELOPS_CLUSTER")
"""Which cluster is meant is said to every program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modelops:
    """Runs the program with a login of its own."""

    environ: Mapping[str, str]

    @staticmethod
    def of(platform: Platform, *, config: Path) -> Modelops:
        """With the platform's kubeconfig; the login is kept in the file `config`."""
        theirs = {key: value for key, value in platform.environ.items() if not key.startswith("MODELOPS_")}
        ours = {key: value for key, value in os.environ.items() if key in _OURS}
        return Modelops(environ={**theirs, **ours, "MODELOPS_CONFIG": str(config)})

    def __call__(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        environ = {**self.environ, **more}
        command = [sys.executable, "-m", "scheduler", *words]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)

    def good(self, *words: str) -> str:
        """What a command writes that must end with 0."""
        done = self(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.good(*words, "-o", "json"))
