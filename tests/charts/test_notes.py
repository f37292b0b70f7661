"""What helm tells after an installation."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from scheduler import names
from scheduler.preprocess import merge
from tests.charts import render
from tests.consistency import typed

pytestmark = pytest.mark.helm

PERSON: Final = {"kind": "User", "name": "ann", "apiGroup": "rbac.authorization.k8s.io"}
ACCOUNT: Final = {"kind": "ServiceAccount", "name": "nightly", "namespace": "bots"}


def test_the_notes_are_a_checklist_with_the_readers_own_names(tmp_path: Path) -> None:
    said = _notes(tmp_path, "minimal", release="scores", namespace="ml")
    assert "modelops install wait --namespace ml --release scores\n" in said
    assert "modelops install logs --namespace ml --release scores" in said
    assert "kubectl -n ml-builds get pipelineruns.tekton.dev -l modelops.dev/installation=scores" in said
    assert "kubectl -n ml logs job/scores-start" in said
    assert "helm test scores --namespace ml" in said
    assert "kubectl -n ml rollout status deployment -l app.kubernetes.io/instance=scores" in said
    assert "PersistentVolumeClaim scores-modelops-server" in said
    assert "kubectl get clusterroles ml-scores-viewer ml-scores-operator ml-scores-admin" in said
    assert "Secret" not in said


def test_the_notes_name_where_builds_are_and_the_secrets_that_they_wait_for(tmp_path: Path) -> None:
    said = _notes(tmp_path, "everything", release="modelops", namespace="ml")
    for verb in ("wait", "status", "logs"):
        assert f"modelops install {verb} --namespace ml --release modelops --build-namespace images" in said
    assert "kubectl -n images get secret archives" in said
    assert "kubectl -n images get secret registry-push" in said
    assert "Bound are 1 viewers, 1 operators and 1 admins" in said
    assert "create serviceaccount" not in said


def test_nobody_is_bound_at_first_and_the_notes_say_how_to_bind_somebody(tmp_path: Path) -> None:
    """What is typed, as it is typed, gives an operator that the platform knows."""
    said = _notes(tmp_path, "minimal", release="scores", namespace="ml")
    assert "Nobody is bound yet" in said
    assert "kubectl -n ml create serviceaccount operator" in said
    upgrade = next(line for line in _typed(said) if line.startswith("helm upgrade") and "--set" in line)
    words = shlex.split(upgrade)
    assert words[2:] == [
        *("scores", "charts/modelops", "--namespace", "ml", "--reset-then-reuse-values"),
        *("--set", words[-1]),
    ]
    bound = _bindings(render.ci_values(render.PLATFORM, "minimal"), "--set", words[-1])
    assert bound["ml", "scores-operator"] == bound["staging", "scores-operator"]
    assert bound["ml", "scores-operator"] == [{"kind": "ServiceAccount", "name": "operator", "namespace": "ml"}]


def test_rights_are_given_by_the_release_that_prepared(tmp_path: Path) -> None:
    said = _notes(tmp_path, "prepared", release="scores", namespace="ml")
    assert "helm upgrade PREREQUISITES charts/modelops --namespace ml --reset-then-reuse-values" in said


@pytest.mark.parametrize(
    ("access", "account"),
    [
        ({}, "ml/operator"),
        ({"viewers": [PERSON], "operators": [PERSON, ACCOUNT]}, "bots/nightly"),
        ({"viewers": [PERSON]}, "NAMESPACE/NAME"),
    ],
)
def test_a_reader_logs_in_as_somebody_who_is_bound(tmp_path: Path, access: dict[str, Any], account: str) -> None:
    said = _notes(tmp_path, "minimal", release="scores", namespace="ml", access=access)
    lines = _typed(said)
    first = lines.index("kubectl -n ml port-forward service/scores-scheduling-server 8080 &")
    urls = "--url http://127.0.0.1:8080 --server-url http://127.0.0.1:8081"
    assert lines[first + 1 : first + 4] == (
        "kubectl -n ml port-forward service/scores-modelops-server 8081:8080 &",
        f"modelops login --account {account} --namespace ml --environment staging {urls}",
        "modelops job list",
    )


def test_models_of_another_server_are_asked_for_there(tmp_path: Path) -> None:
    elsewhere = {"global": {"artifactStore": {"url": "http://models.example.com:8080"}}}
    off = {"modelops-server": {"enabled": False}}
    said = _notes(tmp_path, "minimal", release="scores", namespace="ml", **elsewhere, **off)
    assert "service/scores-modelops-server" not in said
    assert "--url http://127.0.0.1:8080 --server-url http://models.example.com:8080" in said


@pytest.mark.parametrize("ci", sorted(file.stem.removesuffix("-values") for file in (render.PLATFORM / "ci").iterdir()))
def test_every_command_of_the_notes_is_there_with_its_options(tmp_path: Path, ci: str) -> None:
    said = _notes(tmp_path, ci, release="scores", namespace="ml")
    calls = list(typed.in_lines("\n".join(_typed(said))))
    for call in calls:
        typed.check(call)
    assert calls or ci in {"applications", "prerequisites"}


def test_the_notes_say_how_to_label_a_namespace_of_ones_own(tmp_path: Path) -> None:
    said = _notes(tmp_path, "existing", release="scores", namespace="ml")
    assert f"kubectl label --overwrite namespace staging {names.ENVIRONMENT}=staging {names.PLATFORM}=ml.scores" in said
    assert f"kubectl label --overwrite namespace existing-builds {names.PLATFORM}=ml.scores" in said


def test_the_notes_of_the_other_releases_say_what_they_are_for(tmp_path: Path) -> None:
    prepared = _notes(tmp_path / "one", "prerequisites", release="scores-prerequisites", namespace="ml")
    applied = _notes(tmp_path / "two", "applications", release="scores-apps", namespace="ml")
    assert "the role `admin` in\nml, ml-builds, staging; to see whether it holds Tekton's objects too" in prepared
    assert "helm install scores charts/modelops --namespace ml" in prepared
    assert applied.startswith("The applications of scores are installed in namespace ml.")


def _typed(said: str) -> tuple[str, ...]:
    """What the notes tell a reader to type: the lines that are set in, one that goes on behind a backslash as one."""
    return tuple(line.strip() for line in re.sub(r"\\\n *", "", said).splitlines() if line.startswith("   "))


def _bindings(values: Mapping[str, Any], *words: str) -> Mapping[tuple[str, str], Any]:
    """Namespace and name of each RoleBinding of people -> its subjects."""
    place = ("scores", str(render.PLATFORM), "--namespace", "ml", "--kube-version", render.KUBERNETES, *render.TEKTON)
    text = render.helm("template", *place, "--values", "-", *words, values=values)
    found = [one for one in yaml.safe_load_all(text) if one and one["kind"] == "RoleBinding"]
    return {(one["metadata"]["namespace"], one["metadata"]["name"]): one["subjects"] for one in found}


def _notes(folder: Path, ci: str, *, release: str, namespace: str, **more: Any) -> str:
    """NOTES.txt rendered as the data of an object, because `helm template` leaves notes out."""
    chart = folder / "modelops"
    shutil.copytree(render.PLATFORM, chart)
    text = (chart / "templates" / "NOTES.txt").read_text()
    (chart / "templates" / "NOTES.txt").unlink()
    (chart / "templates" / "_notes.tpl").write_text('{{- define "notes" -}}' + text + "{{- end -}}")
    (chart / "templates" / "notes.yaml").write_text(
        'kind: Notes\nmetadata: {name: notes}\ntext: {{ include "notes" . | toJson }}\n'
    )
    values = merge.merge(render.ci_values(render.PLATFORM, ci), more)
    objects = render.chart(chart, values=values, release=release, namespace=namespace)
    return str(render.one(objects, "Notes", "notes")["text"])
