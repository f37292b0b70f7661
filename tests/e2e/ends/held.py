"""An object that does not go away, so that a task is at work for as long as a test wants it to be."""

from __future__ import annotations

import base64
import gzip
import json
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from scheduler import names
from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.errors import ProgramError

_FINALIZER: Final = "modelops.dev/held-by-a-test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A ConfigMap of a job that is yet to be asked for, which nobody can delete until it is let go."""

    is_release: bool = False
    """Whether there is a record of helm's too, of a release that another helm was just installing."""
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    """The idempotency key that the job must have."""

    @property
    def job(self) -> str:
        return names.job_id(namespace=ENVIRONMENT, key=self.key)

    @property
    def name(self) -> str:
        return f"{self.job}-held"

    def put(self, platform: Platform) -> None:
        labels = {names.RELEASE: self.job}
        metadata = {"namespace": ENVIRONMENT, "labels": labels}
        held = {**metadata, "name": self.name, "finalizers": [_FINALIZER]}
        platform.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": held})
        if self.is_release:
            marks = {**labels, "owner": "helm", "name": self.job, "status": "pending-install", "version": "1"}
            record = {"namespace": ENVIRONMENT, "labels": marks, "name": f"sh.helm.release.v1.{self.job}.v1"}
            data = {"release": _record(self.job)}
            platform.apply(
                {"apiVersion": "v1", "kind": "Secret", "metadata": record, "type": "helm.sh/release.v1", "data": data}
            )

    def let_go(self, platform: Platform) -> None:
        """Nothing when it is gone."""
        patch = json.dumps({"metadata": {"finalizers": None}})
        with suppress(ProgramError):
            platform.kubectl("-n", ENVIRONMENT, "patch", "configmap", self.name, "--type=merge", "--patch", patch)
        platform.kubectl("-n", ENVIRONMENT, "delete", "configmap", self.name, "--ignore-not-found")


def _record(release: str) -> str:
    """As helm would have written it before it made the first object: its own base64 inside that of the Secret."""
    info = {"status": "pending-install", "first_deployed": "2026-01-01T00:00:00Z"}
    text = json.dumps({"name": release, "namespace": ENVIRONMENT, "version": 1, "info": info, "manifest": ""})
    return base64.b64encode(base64.b64encode(gzip.compress(text.encode()))).decode()
