"""What helm tells after an installation."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scheduler import names
from tests.charts import render

pytestmark = pytest.mark.helm


def test_the_notes_are_a_checklist_with_the_readers_own_names(tmp_path: Path) -> None:
    said = _notes(tmp_path, "minimal", release="scores", namespace="ml")
    assert "modelops install wait --namespace ml --release scores" in said
    assert "modelops install logs --namespace ml --release scores" in said
    assert "kubectl -n ml-builds get pipelineruns.tekton.dev -l modelops.dev/installation=scores" in said
    assert "kubectl -n ml logs job/scores-start" in said
    assert "helm test scores --namespace ml" in said
    assert "kubectl -n ml rollout status deployment -l app.kubernetes.io/instance=scores" in said
    assert "kubectl -n ml port-forward service/scores-scheduling-server 8080" in said
    assert "PersistentVolumeClaim scores-modelops-server" in said
    assert "Nobody is bound yet" in said
    assert "kubectl get clusterroles ml-scores-viewer ml-scores-operator ml-scores-admin" in said
    assert "Secret" not in said


def test_the_notes_name_the_secrets_that_builds_wait_for(tmp_path: Path) -> None:
    said = _notes(tmp_path, "everything", release="modelops", namespace="ml")
    assert "kubectl -n images get secret archives" in said
    assert "kubectl -n images get secret registry-push" in said
    assert "Bound are 1 viewers, 1 operators and 1 admins" in said


def test_the_notes_say_how_to_label_a_namespace_of_ones_own(tmp_path: Path) -> None:
    said = _notes(tmp_path, "existing", release="scores", namespace="ml")
    assert f"kubectl label namespace staging {names.ENVIRONMENT}=staging {names.PLATFORM}=ml.scores" in said
    assert f"kubectl label namespace existing-builds {names.PLATFORM}=ml.scores" in said


def test_the_notes_of_the_other_releases_say_what_they_are_for(tmp_path: Path) -> None:
    prepared = _notes(tmp_path / "one", "prerequisites", release="scores-prerequisites", namespace="ml")
    applied = _notes(tmp_path / "two", "applications", release="scores-apps", namespace="ml")
    assert "the role `admin` in\nml, ml-builds, staging; to see whether it holds Tekton's objects too" in prepared
    assert "helm install scores charts/modelops --namespace ml" in prepared
    assert applied.startswith("The applications of scores are installed in namespace ml.")


def _notes(folder: Path, ci: str, *, release: str, namespace: str) -> str:
    """NOTES.txt rendered as the data of an object, because `helm template` leaves notes out."""
    chart = folder / "modelops"
    shutil.copytree(render.PLATFORM, chart)
    text = (chart / "templates" / "NOTES.txt").read_text()
    (chart / "templates" / "NOTES.txt").unlink()
    (chart / "templates" / "_notes.tpl").write_text('{{- define "notes" -}}' + text + "{{- end -}}")
    (chart / "templates" / "notes.yaml").write_text(
        'kind: Notes\nmetadata: {name: notes}\ntext: {{ include "notes" . | toJson }}\n'
    )
    objects = render.chart(chart, values=render.ci_values(render.PLATFORM, ci), release=release, namespace=namespace)
    return str(render.one(objects, "Notes", "notes")["text"])
