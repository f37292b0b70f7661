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
from scheduler.tekton import prerequisite

NAMESPACE: Final = prerequisite.NAMESPACE
DEPLOYMENTS: Final = (prerequisite.CONTROLLER, "tekton-pipelines-webhook")
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


def _settings() -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for setting in prerequisite.SETTINGS:
        beside = prerequisite.BESIDE if setting.config.startswith("config-leader-election") else {}
        found.setdefault(setting.config, dict(beside))[setting.key] = setting.value
    return found


SETTINGS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(_settings())
"""ConfigMap -> what is laid over its data."""


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


def answers(kubectl: Kubectl) -> bool:
    """Whether Tekton's webhook admits a PipelineRun now; nothing is left by asking."""
    words = ("create", "--dry-run=server", "-f", "-")
    try:
        kubectl(*words, stdin=json.dumps(prerequisite.probe("default")), limit_seconds=10)
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
    kind, name = document["kind"], document["metadata"]["name"]
    if (kind, name) == ("Deployment", prerequisite.CONTROLLER):
        return _with_arguments(document)
    if kind != "ConfigMap" or name not in SETTINGS:
        return document
    return {**document, "data": {**document.get("data", {}), **SETTINGS[name]}}


def _with_arguments(deployment: Manifest) -> Manifest:
    spec, pod = deployment["spec"], deployment["spec"]["template"]["spec"]
    first, *others = pod["containers"]
    more = [word for one in prerequisite.ARGUMENTS for word in (f"-{one.flag}", str(one.value))]
    container = {**first, "args": [*first["args"], *more]}
    template = {**spec["template"], "spec": {**pod, "containers": [container, *others]}}
    return {**deployment, "spec": {**spec, "template": template}}
