"""Tekton's manifests as they are applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from scheduler.devcluster import tekton
from scheduler.errors import NotFoundError

CONTROLLER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: tekton-pipelines-controller, labels: {version: devel, note: developing}}
spec:
  template:
    spec:
      containers:
      - image: ko://github.com/tektoncd/pipeline/cmd/controller
        args: [-nop-image, "ko://github.com/tektoncd/pipeline/cmd/nop",
               -shell-image, busybox@sha256:1, -shell-image-win, powershell@sha256:2]
"""
FLAGS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: feature-flags}
data: {disable-creds-init: "false", coschedule: workspaces}
"""


def built(*texts: str) -> list[Any]:
    documents = [yaml.safe_load(text) for text in texts]
    return list(tekton.build(documents, version="v9.9.9", image="here/{}".format, shell_image="here/shell"))


def test_images_and_version_are_put_in() -> None:
    (controller,) = built(CONTROLLER)
    container = controller["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "here/controller"
    expected = ["-nop-image", "here/nop", "-shell-image", "here/shell", "-shell-image-win", "here/shell"]
    expected += ["-kube-api-qps", "50", "-kube-api-burst", "50", "-threads-per-controller", "32"]
    assert container["args"] == expected
    assert controller["metadata"]["labels"] == {"version": "v9.9.9", "note": "developing"}


def test_our_settings_are_laid_over_theirs() -> None:
    (flags,) = built(FLAGS)
    assert flags["data"] == {
        "coschedule": "workspaces",
        "disable-creds-init": "true",
        "running-in-environment-with-injected-sidecars": "false",
        "set-security-context": "true",
        "set-security-context-read-only-root-filesystem": "true",
    }


def test_prepare_is_not_throttled() -> None:
    requirements = yaml.safe_load(tekton.SETTINGS["config-defaults"]["default-container-resource-requirements"])
    assert requirements["prepare"]["limits"] == {"cpu": "1", "memory": "256Mi"}
    assert requirements["place-scripts"]["limits"]["cpu"] == "1"


def test_what_cannot_run_here_is_left_out(tmp_path: Path) -> None:
    for name in (
        "controller.yaml",
        "events.yaml",
        "webhook-hpa.yaml",
        "resolvers/deployment.yaml",
        "300-crds/task.yaml",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{{kind: Test, metadata: {{name: {name}}}}}\n---\n")
    assert [document["metadata"]["name"] for document in tekton.read(tmp_path)] == [
        "300-crds/task.yaml",
        "controller.yaml",
    ]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="config"):
        tekton.read(tmp_path / "config")
