"""The helm program on PATH, through pyhelm3."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler import assets
from scheduler.errors import ConflictError, ForbiddenError, NotFoundError, ProgramError, UnavailableError, no_cluster
from scheduler.helm.port import ReleaseState, ReleaseStatus
from scheduler.helm.process import HelmCommand
from scheduler.model.types import Manifest, Values

TIMEOUT_SECONDS: Final = 240.0

_KUBERNETES: Final = "1.33.0"
"""The oldest that charts here ask for. Without a cluster helm takes one of its own time, and a helm that was built from
its module takes 1.20."""
_ONCE_DEPLOYED: Final = frozenset({"deployed", "superseded"})
_SPECIAL: Final = re.compile("[^ -~]")
_NOT_FOUND: Final = "release: not found"
_CONFLICT: Final = re.compile("cannot re-?use a name that is still in use|another operation .* is in progress")
_FORBIDDEN: Final = re.compile("is forbidden: user ")
"""What roles refuse; quotas and admission say 'is forbidden' too, and why."""
_UNREACHABLE: Final = re.compile(r'cluster unreachable: Get "(?P<url>https?://[^/"]+)[^"]*": (?P<why>.+)')
_UNAVAILABLE: Final = re.compile(
    "kubernetes cluster unreachable|connection refused|connection reset by peer|no route to host|i/o timeout"
    "|tls handshake timeout|etcdserver|the server is currently unable|too many requests"
)


class HelmProgram:
    """Calls helm, one call at a time. Errors are told apart by helm's own words, for it has one exit code."""

    def __init__(
        self,
        *,
        executable: str = "",
        environ: Mapping[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """Without an `executable` it is the one that `assets.program` finds.

        `environ` is helm's whole environment; by default this process's own.
        """
        self._timeout_seconds = timeout_seconds
        self._command = HelmCommand(
            executable=executable or assets.program("helm"),
            environ=os.environ if environ is None else environ,
            timeout_seconds=timeout_seconds,
        )

    def install(
        self, release: str, *, chart: Path, values: Values, namespace: str, labels: Mapping[str, str]
    ) -> ReleaseStatus:
        marks = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        arguments = ["install", release, chart, "--namespace", namespace, "--values", "-", "--output", "json"]
        if marks:
            arguments += ["--labels", marks]
        # no --wait (it would block for the whole batch), no --create-namespace (a namespaced account may not)
        return _status(json.loads(self._run(arguments, given=_yaml(values))))

    def upgrade(
        self,
        release: str,
        *,
        chart: Path,
        values: Values,
        namespace: str,
        labels: Mapping[str, str],
        ready_seconds: float,
        may_take_over: bool = True,
    ) -> ReleaseStatus:
        marks = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        arguments = ["upgrade", release, chart, "--install", "--atomic", "--timeout", f"{ready_seconds:.0f}s"]
        arguments += ["--namespace", namespace, "--values", "-", "--output", "json"]
        if may_take_over:
            arguments.append("--take-ownership")
        if marks:
            arguments += ["--labels", marks]
        return _status(json.loads(self._run(arguments, given=_yaml(values))))

    def rollback(self, release: str, *, namespace: str) -> ReleaseStatus:
        history = json.loads(self._run(["history", release, "--namespace", namespace, "--output", "json"]))
        present = max(entry["revision"] for entry in history)
        good = [entry["revision"] for entry in history if entry["status"] in _ONCE_DEPLOYED]
        before = [revision for revision in good if revision < present]
        if not before:
            raise NotFoundError(f"release '{release}' in namespace '{namespace}' has no revision to go back to")
        self._run(["rollback", release, str(max(before)), "--namespace", namespace])
        found = self.status(release, namespace=namespace)
        if found is None:
            raise NotFoundError(f"release '{release}' in namespace '{namespace}' is gone")
        return found

    def values(self, release: str, *, namespace: str) -> Values:
        answer = json.loads(self._run(["get", "values", release, "--namespace", namespace, "--output", "json"]))
        return answer or {}

    def uninstall(self, release: str, *, namespace: str) -> None:
        # never --ignore-not-found: it swallows every error of reading the history
        self._run(["uninstall", release, "--namespace", namespace, "--cascade", "background"])

    def status(self, release: str, *, namespace: str) -> ReleaseStatus | None:
        try:
            answer = json.loads(self._run(["get", "metadata", release, "--namespace", namespace, "--output", "json"]))
        except NotFoundError:
            return None
        return ReleaseStatus(
            name=answer["name"],
            namespace=answer["namespace"],
            state=_state(answer["status"]),
            revision=answer["revision"],
            chart=f"{answer['chart']}-{answer['version']}",
        )

    def template(self, release: str, *, chart: Path, values: Values, namespace: str) -> list[Manifest]:
        arguments = ["template", release, chart, "--namespace", namespace, "--values", "-", "--skip-crds"]
        arguments += ["--kube-version", _KUBERNETES]
        text = self._run(arguments, given=_yaml(values)).decode()
        return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]

    def version(self) -> str:
        return self._run(["version", "--template", "{{ .Version }}"]).decode().strip()

    def terminate(self) -> None:
        self._command.terminate()

    def _run(self, arguments: Sequence[object], *, given: bytes | None = None) -> bytes:
        try:
            return asyncio.run(self._command.run(arguments, given))
        except ProgramError as error:
            raise _error_for(error) from error


def _error_for(error: ProgramError) -> Exception:
    words = error.output.lower()
    message = f"{error}: {error.output.strip()}" if error.output.strip() else str(error)
    if nobody := _UNREACHABLE.search(error.output):
        return no_cluster(nobody["url"], nobody["why"])
    if _NOT_FOUND in words:
        return NotFoundError(message)
    if _CONFLICT.search(words):
        return ConflictError(message)
    if _UNAVAILABLE.search(words):
        return UnavailableError(message)
    if _FORBIDDEN.search(words):
        return ForbiddenError(message)
    return ProgramError(message, output=error.output)


def _status(answer: Mapping[str, Any]) -> ReleaseStatus:
    """What `install` and `upgrade` answer with."""
    chart = answer["chart"]["metadata"]
    return ReleaseStatus(
        name=answer["name"],
        namespace=answer["namespace"],
        state=_state(answer["info"]["status"]),
        revision=answer["version"],
        chart=f"{chart['name']}-{chart['version']}",
    )


def _state(text: str) -> ReleaseState:
    return ReleaseState(text) if text in set(ReleaseState) else ReleaseState.OTHER


def _yaml(values: Values) -> bytes:
    """JSON, which is YAML whose strings no parser takes for numbers, but with YAML's escapes.

    Helm's parser knows no surrogate pairs, and takes some characters that JSON leaves alone for line ends.
    """
    text = json.dumps(values, sort_keys=True, ensure_ascii=False)
    return _SPECIAL.sub(lambda found: f"\\U{ord(found[0]):08X}", text).encode()
