"""What every `Helm` does, whatever is behind it: one suite for the fake and for the program.

Rendering needs the program alone (marker `helm`), releases need a cluster too (marker `e2e`).
"""

from __future__ import annotations

import os
import textwrap
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from scheduler import assets
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.errors import ConflictError, NotFoundError, ProgramError
from scheduler.helm.fake import FakeHelm
from scheduler.helm.port import Helm, ReleaseState, ReleaseStatus
from scheduler.helm.pyhelm import HelmProgram
from scheduler.model.types import Manifest, Values
from tests import programs, real_cluster

pytestmark = pytest.mark.timeout(90)

LABELS = {"modelops.dev/release": "jaaaaaaaaaaaaaaaaaaaa"}


def _rendered(release: str, values: Values, namespace: str) -> list[Manifest]:
    """What the chart below makes."""
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": values.get("name", f"{release}-a"), "namespace": namespace},
            "data": {"text": values["text"]},
        }
    ]


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A chart with one ConfigMap."""
    folder = tmp_path / "small"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 0.1.0\n")
    template = """\
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: {{ .Values.name | default (print .Release.Name "-a") }}, namespace: {{ .Release.Namespace }}}
        data: {text: {{ .Values.text | quote }}}
        """
    (folder / "templates" / "configmap.yaml").write_text(textwrap.dedent(template))
    return folder


@pytest.fixture(
    params=[
        pytest.param("fake", id="fake"),
        pytest.param("program", id="program", marks=pytest.mark.helm),
    ]
)
def renderer(request: pytest.FixtureRequest) -> Helm:
    return FakeHelm(render=_rendered) if request.param == "fake" else HelmProgram(executable=programs.helm())


@pytest.fixture(
    params=[pytest.param("fake", id="fake"), pytest.param("live", id="live", marks=[pytest.mark.helm, pytest.mark.e2e])]
)
def helm(request: pytest.FixtureRequest) -> Helm:
    if request.param == "fake":
        return FakeHelm(render=_rendered)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "KUBECONFIG": str(real_cluster.kubeconfig()),
    }
    return HelmProgram(executable=programs.helm(), environ=environ)


@pytest.fixture
def namespace(helm: Helm) -> Iterator[str]:
    name = f"contract-{uuid.uuid4().hex[:8]}"
    if isinstance(helm, FakeHelm):
        yield name
        return
    cluster = KubernetesCluster.from_kubeconfig(real_cluster.kubeconfig())
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.delete("Namespace", name)


@pytest.mark.parametrize("text", ["1e3", "on", 'a "b"\n  c: {{ d }}', "ü😀\u2028\x85\x7f\\ud83d"])
def test_a_chart_is_rendered_with_the_values_as_they_are(renderer: Helm, chart: Path, text: str) -> None:
    rendered = renderer.template("small-1", chart=chart, values={"text": text}, namespace="staging")

    assert rendered == _rendered("small-1", {"text": text}, "staging")


def test_a_chart_that_is_not_there_is_told_in_helms_words(renderer: Helm, tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="not found") as failure:
        renderer.template("small-1", chart=tmp_path / "none", values={}, namespace="staging")

    assert "not found" in failure.value.output


def test_a_chart_for_the_oldest_kubernetes_that_is_served_is_rendered(renderer: Helm, chart: Path) -> None:
    platform = yaml.safe_load((assets.charts() / "modelops" / "Chart.yaml").read_text())
    metadata = chart / "Chart.yaml"
    metadata.write_text(f"{metadata.read_text()}kubeVersion: '{platform['kubeVersion']}'\n")

    assert renderer.template("small-1", chart=chart, values={"text": "a"}, namespace="staging")


def test_helm_tells_its_version(renderer: Helm) -> None:
    assert renderer.version().startswith("v3.")


def test_after_terminate_nothing_is_begun(renderer: Helm) -> None:
    renderer.terminate()

    with pytest.raises(ProgramError, match="asked to end"):
        renderer.version()


def test_a_release_is_installed_seen_and_uninstalled(helm: Helm, namespace: str, chart: Path) -> None:
    assert helm.status("small-1", namespace=namespace) is None

    made = helm.install("small-1", chart=chart, values={"text": "a"}, namespace=namespace, labels=LABELS)

    assert (made.name, made.namespace, made.state, made.revision) == ("small-1", namespace, ReleaseState.DEPLOYED, 1)
    assert made.chart == "small-0.1.0"
    assert helm.status("small-1", namespace=namespace) == made
    helm.uninstall("small-1", namespace=namespace)
    assert helm.status("small-1", namespace=namespace) is None


def test_a_name_is_taken_once(helm: Helm, namespace: str, chart: Path) -> None:
    helm.install("small-1", chart=chart, values={"text": "a"}, namespace=namespace, labels={})

    with pytest.raises(ConflictError, match="still in use"):
        helm.install("small-1", chart=chart, values={"text": "b"}, namespace=namespace, labels={})

    status = helm.status("small-1", namespace=namespace)
    assert isinstance(status, ReleaseStatus)
    assert status.revision == 1


def _upgrade(helm: Helm, text: str, *, namespace: str, chart: Path) -> ReleaseStatus:
    given = {"text": text}
    return helm.upgrade("small-1", chart=chart, values=given, namespace=namespace, labels=LABELS, ready_seconds=30)


def test_an_upgrade_installs_what_is_not_there_and_then_makes_revisions(
    helm: Helm, namespace: str, chart: Path
) -> None:
    first = _upgrade(helm, "a", namespace=namespace, chart=chart)
    second = _upgrade(helm, "b", namespace=namespace, chart=chart)

    assert (first.state, first.revision) == (ReleaseState.DEPLOYED, 1)
    assert (second.state, second.revision) == (ReleaseState.DEPLOYED, 2)
    assert helm.status("small-1", namespace=namespace) == second
    assert helm.values("small-1", namespace=namespace) == {"text": "b"}


def test_what_another_release_has_made_is_taken_over_only_where_it_may_be(
    helm: Helm, namespace: str, chart: Path
) -> None:
    _upgrade(helm, "a", namespace=namespace, chart=chart)
    given = {"text": "b", "name": "small-1-a"}

    def upgrade(*, may_take_over: bool) -> ReleaseStatus:
        return helm.upgrade(
            "small-2",
            chart=chart,
            values=given,
            namespace=namespace,
            labels={},
            ready_seconds=30,
            may_take_over=may_take_over,
        )

    with pytest.raises(ProgramError, match="invalid ownership metadata"):
        upgrade(may_take_over=False)
    assert helm.status("small-2", namespace=namespace) is None
    assert upgrade(may_take_over=True).state is ReleaseState.DEPLOYED


def test_a_rollback_brings_back_what_was_deployed_before_as_a_new_revision(
    helm: Helm, namespace: str, chart: Path
) -> None:
    _upgrade(helm, "a", namespace=namespace, chart=chart)
    _upgrade(helm, "b", namespace=namespace, chart=chart)

    back = helm.rollback("small-1", namespace=namespace)

    assert (back.state, back.revision) == (ReleaseState.DEPLOYED, 3)
    assert helm.values("small-1", namespace=namespace) == {"text": "a"}


def test_a_first_revision_has_nothing_to_go_back_to(helm: Helm, namespace: str, chart: Path) -> None:
    _upgrade(helm, "a", namespace=namespace, chart=chart)

    with pytest.raises(NotFoundError, match="no revision to go back to"):
        helm.rollback("small-1", namespace=namespace)


def test_what_is_not_there_has_no_values_and_no_way_back(helm: Helm, namespace: str) -> None:
    with pytest.raises(NotFoundError, match="release: not found"):
        helm.values("small-1", namespace=namespace)
    with pytest.raises(NotFoundError, match="release: not found"):
        helm.rollback("small-1", namespace=namespace)


def test_an_upgrade_that_fails_is_undone(helm: Helm, namespace: str, chart: Path) -> None:
    _upgrade(helm, "a", namespace=namespace, chart=chart)
    _break(helm, chart)

    with pytest.raises(ProgramError):
        _upgrade(helm, "b", namespace=namespace, chart=chart)

    status = helm.status("small-1", namespace=namespace)
    assert status is not None
    assert (status.state, status.revision) == (ReleaseState.DEPLOYED, 3)
    assert helm.values("small-1", namespace=namespace) == {"text": "a"}


def test_a_first_revision_that_fails_is_removed(helm: Helm, namespace: str, chart: Path) -> None:
    _break(helm, chart)

    with pytest.raises(ProgramError):
        _upgrade(helm, "a", namespace=namespace, chart=chart)

    assert helm.status("small-1", namespace=namespace) is None


def _break(helm: Helm, chart: Path) -> None:
    """From now on the chart holds an object that the API server refuses."""
    if isinstance(helm, FakeHelm):

        def refuse(_: object) -> None:
            raise ProgramError("helm upgrade failed: Service is invalid")

        helm.on_upgrade = refuse
        return
    broken = """\
        apiVersion: v1
        kind: Service
        metadata: {name: broken}
        spec: {ports: [{port: 80, name: UPPER}]}
        """
    (chart / "templates" / "service.yaml").write_text(textwrap.dedent(broken))


def test_what_is_not_there_cannot_be_uninstalled(helm: Helm, namespace: str) -> None:
    with pytest.raises(NotFoundError, match="release: not found"):
        helm.uninstall("small-1", namespace=namespace)
