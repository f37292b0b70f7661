"""Tekton's own manifests, with our images and with the settings under which a task takes 3 s instead of 10.

The manifests lie in the pinned module's `config` folder, written for its makers' release tool: `ko://…/cmd/NAME` where
an image belongs, `devel` where the version does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from scheduler.devcluster.kubectl import Kubectl, Manifest
from scheduler.errors import NotFoundError, ProgramError, UnavailableError

NAMESPACE: Final = "tekton-pipelines"
DEPLOYMENTS: Final = ("tekton-pipelines-controller", "tekton-pipelines-webhook")
_LEFT_OUT: Final = frozenset(
    {
        "events.yaml",  # CloudEvents: nobody here listens
        "webhook-hpa.yaml",  # needs a metrics server
        "config-leader-election-events.yaml",
    }
)
# Its definitions are 1.5 MB of YAML: 3 s in Python, a tenth of that in C.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_IMAGE: Final = "ko://github.com/tektoncd/pipeline/cmd/"
_VERSION: Final = "devel"

_INIT: Final = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}}
_DEFAULTS: Final = {
    # Since 1.13 these two containers are held to a tenth of a CPU, and copying the entrypoint takes 7 s or more.
    "default-container-resource-requirements": yaml.safe_dump({"prepare": _INIT, "place-scripts": _INIT}),
}
_FEATURES: Final = {
    "disable-creds-init": "true",
    "running-in-environment-with-injected-sidecars": "false",
    # Without both, no task pod is admitted where Pod Security `restricted` is enforced.
    "set-security-context": "true",
    "set-security-context-read-only-root-filesystem": "true",
}
# A controller that was killed is followed by the next one after this time; the default is a minute.
_LEADER: Final = {"lease-duration": "15s", "renew-deadline": "10s", "retry-period": "2s"}
SETTINGS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "config-defaults": _DEFAULTS,
        "feature-flags": _FEATURES,
        "config-leader-election-controller": _LEADER,
        "config-leader-election-webhook": _LEADER,
    }
)


def read(folder: Path) -> tuple[Manifest, ...]:
    """The documents of the module's `config` folder that we install, in the order of their file names."""
    if not folder.is_dir():
        raise NotFoundError(f"Tekton's module has no folder {folder}")
    files = [path for path in sorted(folder.rglob("*.yaml")) if path.name not in _LEFT_OUT]
    # without the resolvers' program, which cannot be built, their manifests would only wait for it
    wanted = [path for path in files if "resolvers" not in path.relative_to(folder).parts]
    return tuple(
        document for path in wanted for document in yaml.load_all(path.read_text(), Loader=_LOADER) if document
    )


def build(
    documents: Sequence[Manifest], *, version: str, image: Callable[[str], str], shell_image: str
) -> tuple[Manifest, ...]:
    """The manifests to apply: `image(name)` in place of each program, the version, and our settings laid over."""
    return tuple(_settled(_filled(document, version, image, shell_image)) for document in documents)


def probe(namespace: str = "default") -> Manifest:
    """A PipelineRun to create as a dry run: the API server accepts it only if the webhook really answers."""
    step = {"name": "nothing", "image": "nothing", "command": ["nothing"]}
    task = {"name": "nothing", "taskSpec": {"steps": [step]}}
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": "modelops-probe", "namespace": namespace},
        "spec": {"pipelineSpec": {"tasks": [task]}},
    }


def answers(kubectl: Kubectl) -> bool:
    """Whether Tekton's webhook admits a PipelineRun now; nothing is left by asking."""
    words = ("create", "--dry-run=server", "-f", "-")
    try:
        kubectl(*words, stdin=json.dumps(probe()), limit_seconds=10)
    except (ProgramError, UnavailableError):
        return False
    return True


def _filled(value: Any, version: str, image: Callable[[str], str], shell: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(inner, version, image, shell) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, version, image, shell) for inner in _arguments(value, shell)]
    if isinstance(value, str) and value.startswith(_IMAGE):
        return image(value.removeprefix(_IMAGE))
    return version if value == _VERSION else value


def _arguments(words: list[Any], shell: str) -> list[Any]:
    """The controller's arguments with our shell image; it insists on one for Windows too, which is never asked for."""
    flags = ("-shell-image", "-shell-image-win")
    return [shell if before in flags else word for before, word in zip([None, *words], words, strict=False)]


def _settled(document: Manifest) -> Manifest:
    name = document["metadata"]["name"]
    if document["kind"] != "ConfigMap" or name not in SETTINGS:
        return document
    return {**document, "data": {**document.get("data", {}), **SETTINGS[name]}}
