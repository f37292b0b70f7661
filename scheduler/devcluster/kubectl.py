"""Asks and tells the API server through the kubectl that was built, with a limit on every call."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scheduler import command
from scheduler.errors import ProgramError, UnavailableError

Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """kubectl with a kubeconfig; `environ` carries what the reader's own kubeconfig may need."""

    program: Path
    kubeconfig: Path | None = None
    """None: whatever the reader's KUBECONFIG says."""
    environ: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, stdin: str = "", limit_seconds: float = 30) -> str:
        """What kubectl prints; a refusal is a ProgramError in the API server's words."""
        place = ["--kubeconfig", str(self.kubeconfig)] if self.kubeconfig else []
        limit = f"--request-timeout={limit_seconds:.0f}s"
        line: list[str | Path] = [self.program, *place, limit, *words]
        return command.run(line, stdin=stdin, limit_seconds=limit_seconds + 5, environ=self.environ)

    def get(self, *words: str, limit_seconds: float = 30) -> Any:
        """The object or list as parsed JSON."""
        return json.loads(self("get", *words, "-o", "json", limit_seconds=limit_seconds))

    def answers(self, *words: str, limit_seconds: float = 5) -> bool:
        """Whether this call succeeds."""
        try:
            self(*words, limit_seconds=limit_seconds)
        except (ProgramError, UnavailableError):
            return False
        return True

    def apply(self, manifests: Iterable[Manifest], *, owner: str = "modelops-cluster") -> str:
        """Make the objects so, server-side; equal objects are left as they are, bytes and versions."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
        words = ("apply", "--server-side", "--force-conflicts", f"--field-manager={owner}", "-f", "-")
        return self(*words, stdin=text, limit_seconds=120)
