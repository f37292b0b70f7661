"""`up`, `down` and `status`, as far as they go without touching a machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scheduler import devcluster
from scheduler.devcluster import __main__ as program
from scheduler.devcluster import current, shutdown, startup
from scheduler.devcluster.addresses import Addresses
from scheduler.devcluster.configuration import Machine
from scheduler.devcluster.home import Home
from scheduler.errors import ConflictError, ForbiddenError, InvalidInputError, UnavailableError

KUBECTL = """#!/bin/sh
case "$*" in
*version*) test "$KUBECONFIG" = /their/config && echo '{"gitVersion": "v1.33.0"}';;
*nodes*) echo '{"items": []}';;
*dry-run*) cat > /dev/null; exit 1;;
esac
"""


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment that means the reader's own cluster, with helm and Bento built and a kubectl on PATH."""
    (tmp_path / "bin").mkdir()
    for name, text in (("kubectl", KUBECTL), ("helm", "#!/bin/sh\n"), ("bento", "#!/bin/sh\n")):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return {"MODELOPS_CLUSTER": "current", "MODELOPS_HOME": str(tmp_path), "KUBECONFIG": "/their/config"}


def test_the_readers_own_cluster_is_only_asked(theirs: dict[str, str], tmp_path: Path) -> None:
    told: list[str] = []
    status = devcluster.up(told.append, environ=theirs)
    assert (status.mode, status.api_server_version, status.tekton_answers) == ("current", "v1.33.0", False)
    assert told[0] == "using the cluster of /their/config: Kubernetes v1.33.0"
    assert "install Tekton 1.15" in told[1]
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def test_the_readers_own_cluster_is_not_taken_down(theirs: dict[str, str]) -> None:
    told: list[str] = []
    devcluster.down(told.append, environ=theirs)
    assert told == ["the cluster is your own: nothing is taken down"]


def test_for_the_readers_own_cluster_nothing_is_built(theirs: dict[str, str]) -> None:
    told: list[str] = []
    devcluster.build(told.append, environ=theirs)
    assert told == []


def test_building_starts_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built: list[Home] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(devcluster.checks, "require", lambda facts: None)
    monkeypatch.setattr(devcluster.facts, "of_machine", lambda machine, environ: None)
    monkeypatch.setattr(startup, "programs", lambda home, tell: built.append(home))
    monkeypatch.setattr(startup, "node", pytest.fail)
    devcluster.build(pytest.fail, environ={"MODELOPS_HOME": str(tmp_path)})
    assert [home.root for home in built] == [tmp_path]


def test_a_cluster_that_does_not_answer_is_unavailable(theirs: dict[str, str]) -> None:
    with pytest.raises(UnavailableError, match="KUBECONFIG says /none"):
        devcluster.up(pytest.fail, environ={**theirs, "KUBECONFIG": "/none"})


def test_an_unknown_kind_of_cluster_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        InvalidInputError, match=r"MODELOPS_CLUSTER: 'kind' is unknown \(there are 'local', 'current'\)"
    ):
        current.is_meant({"MODELOPS_CLUSTER": "kind"})


def test_down_of_what_was_never_up_says_so(tmp_path: Path) -> None:
    told: list[str] = []
    machine = Machine(home=Home(root=tmp_path / "home", run=tmp_path / "run"), addresses=Addresses())
    shutdown.run(machine, told.append, purge=False)
    assert told == ["nothing of the local cluster runs"]


def test_another_network_than_the_clusters_is_refused(tmp_path: Path) -> None:
    home = Home(root=tmp_path)
    startup.require_same_network(Machine(home=home, addresses=Addresses()))
    startup.require_same_network(Machine(home=home, addresses=Addresses()))
    moved = Addresses.from_environ({"MODELOPS_CLUSTER_NETWORK": "10.99.0.0/16"})
    with pytest.raises(ConflictError, match=r"made for 10\.217\.0\.0/16, not 10\.99\.0\.0/16"):
        startup.require_same_network(Machine(home=home, addresses=moved))


def test_an_ordinary_user_is_told_to_be_root(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.delenv("MODELOPS_CLUSTER", raising=False)
    with pytest.raises(ForbiddenError, match="belongs to root"):
        devcluster.status()
    assert program.main(["status"]) == 1
    assert "run this as root" in capsys.readouterr().err
