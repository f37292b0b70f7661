"""Task install: once, whatever happened before."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.errors import ForbiddenError, ProgramError, SchedulerError, UnavailableError
from scheduler.helm.fake import Release
from scheduler.helm.port import ReleaseState
from scheduler.model.job import Reason
from scheduler.release.stop import StoppedError
from scheduler.tasks import install
from scheduler.tasks.install import Order

from .releases import JOB, NAMESPACE, VALUES, HelmOnCluster, ports, write_input


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def helm(cluster: FakeCluster) -> HelmOnCluster:
    return HelmOnCluster(cluster)


@pytest.fixture
def order(tmp_path: Path) -> Order:
    chart = tmp_path / "scoring-pipeline"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("name: scoring-pipeline\n")
    ir_digest, values_digest = write_input(tmp_path / "input")
    return Order(
        job=JOB,
        namespace=NAMESPACE,
        chart=chart,
        folder=tmp_path / "input",
        ir_digest=ir_digest,
        values_digest=values_digest,
        seconds=60,
    )


def installs(helm: HelmOnCluster) -> int:
    return [verb for verb, _ in helm.calls].count("install")


def test_the_release_is_installed_with_the_values_and_labelled(
    order: Order, cluster: FakeCluster, helm: HelmOnCluster
) -> None:
    done = install.run(order, ports=ports(cluster, helm))

    assert done.fields() == {
        "outcome": "Succeeded",
        "reason": "",
        "message": "",
        "chartDigest": install.digest_of(order.chart),
    }
    made = helm.releases[NAMESPACE, JOB]
    assert made.values == VALUES
    assert made.labels == {
        names.RELEASE: JOB,
        names.VALUES_DIGEST: names.digest_label(order.values_digest),
    }


def test_a_second_start_finds_the_release_and_changes_nothing(
    order: Order, cluster: FakeCluster, helm: HelmOnCluster
) -> None:
    install.run(order, ports=ports(cluster, helm))

    assert install.run(order, ports=ports(cluster, helm)).is_success
    assert installs(helm) == 1


@pytest.mark.parametrize("state", [ReleaseState.PENDING, ReleaseState.FAILED, ReleaseState.UNINSTALLING])
def test_a_half_made_release_is_removed_and_made_anew(
    order: Order, cluster: FakeCluster, helm: HelmOnCluster, state: ReleaseState
) -> None:
    install.run(order, ports=ports(cluster, helm))
    helm.put(helm.releases[NAMESPACE, JOB], state=state)

    assert install.run(order, ports=ports(cluster, helm)).is_success
    assert [verb for verb, _ in helm.calls] == ["install", "uninstall", "install"]
    assert helm.releases[NAMESPACE, JOB].status.state is ReleaseState.DEPLOYED


@pytest.mark.parametrize(
    ("label", "words"),
    [(names.RELEASE, "that is not this job's"), (names.VALUES_DIGEST, "with other values")],
)
def test_a_release_that_is_something_else_is_left_alone(
    order: Order, cluster: FakeCluster, helm: HelmOnCluster, label: str, words: str
) -> None:
    install.run(order, ports=ports(cluster, helm))
    made = helm.releases[NAMESPACE, JOB]
    other = Release(status=made.status, values={}, labels={**made.labels, label: "other"}, manifests=made.manifests)
    helm.put(other)

    done = install.run(order, ports=ports(cluster, helm))

    assert done.reason is Reason.INSTALL_FAILED
    assert words in done.message
    assert helm.releases[NAMESPACE, JOB] == other


@pytest.mark.parametrize(("file", "what"), [("ir.json", "IR"), ("values.yaml", "Values")])
def test_an_input_that_was_replaced_installs_nothing(
    order: Order, cluster: FakeCluster, helm: HelmOnCluster, file: str, what: str
) -> None:
    (order.folder / file).write_text("{}")

    done = install.run(order, ports=ports(cluster, helm))

    assert done.reason is Reason.INPUT_DIGEST_MISMATCH
    assert done.message.startswith(f"the {what} in the job's input have the digest sha256:44136fa3")
    assert helm.calls == []


def test_a_missing_or_broken_input_is_told(order: Order, cluster: FakeCluster, helm: HelmOnCluster) -> None:
    (order.folder / "ir.json").unlink()

    done = install.run(order, ports=ports(cluster, helm))

    assert done.reason is Reason.INPUT_DIGEST_MISMATCH
    assert "cannot be read" in done.message


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Error: INSTALLATION FAILED: chart scoring-pipeline refuses these values", Reason.INSTALL_FAILED),
        ('pods "x" is forbidden: exceeded quota: jobs, requested: cpu=2', Reason.QUOTA_EXCEEDED),
    ],
)
def test_helms_refusal_is_told_in_its_words(
    order: Order, cluster: FakeCluster, helm: HelmOnCluster, words: str, reason: Reason
) -> None:
    def refuse(_release: Release) -> None:
        raise ProgramError(f"helm install failed (exit code 1): {words}", output=words)

    helm.on_install = refuse

    done = install.run(order, ports=ports(cluster, helm))

    assert (done.reason, done.message) == (reason, f"helm install failed (exit code 1): {words}")
    assert done.chart_digest


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("connection refused"),
        # as an API server says to everybody when it has just started
        ForbiddenError("services is forbidden"),
    ],
)
def test_an_outage_in_the_middle_is_waited_for(
    order: Order, cluster: FakeCluster, helm: HelmOnCluster, error: SchedulerError
) -> None:
    make = helm.on_install
    failures = iter([True, True])

    def sometimes(release: Release) -> None:
        assert make is not None
        make(release)
        if next(failures, False):
            raise error

    helm.on_install = sometimes

    assert install.run(order, ports=ports(cluster, helm)).is_success
    assert installs(helm) == 3


def test_an_outage_that_does_not_end_is_the_install_deadline(
    order: Order, cluster: FakeCluster, helm: HelmOnCluster
) -> None:
    def never(_release: Release) -> None:
        raise UnavailableError("connection refused")

    helm.on_install = never

    done = install.run(order, ports=ports(cluster, helm))

    assert done.reason is Reason.INSTALL_DEADLINE
    assert done.message == "not installed within 60 s: connection refused"


def test_a_right_that_is_missing_is_told_long_before_the_deadline(
    order: Order, cluster: FakeCluster, helm: HelmOnCluster
) -> None:
    def never(_release: Release) -> None:
        raise ForbiddenError("services is forbidden")

    helm.on_install, given = never, ports(cluster, helm)

    done = install.run(order, ports=given)

    assert (done.reason, done.message) == (Reason.INSTALL_FAILED, "services is forbidden")
    assert given.clock() < order.seconds / 2


def test_a_stopped_install_says_nothing(order: Order, cluster: FakeCluster, helm: HelmOnCluster) -> None:
    given = ports(cluster, helm)

    def stopped(_release: Release) -> None:
        given.stop.ask()
        raise ProgramError("helm install failed (ended by signal 15)")

    helm.on_install = stopped

    with pytest.raises(StoppedError):
        install.run(order, ports=given)


def test_the_charts_digest_covers_every_file(order: Order) -> None:
    before = install.digest_of(order.chart)
    (order.chart / "templates").mkdir()
    (order.chart / "templates" / "a.yaml").write_text("a")
    with_file = install.digest_of(order.chart)
    (order.chart / "templates" / "a.yaml").rename(order.chart / "templates" / "b.yaml")

    assert len({before, with_file, install.digest_of(order.chart)}) == 3
