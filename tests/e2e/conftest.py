"""What tests of whole jobs share: the platform as `helm` installed it, an operator's clients, a volume for files.

The servers are reached through their Services with an operator's token; the administrator's kubeconfig only puts the
platform there and looks at what the jobs leave.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from scheduler import devcluster
from scheduler.artifacts.client import ModelopsClient
from scheduler.cli import discovery
from scheduler.cli.configuration import Login
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.demo import installation, volume
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, OPERATOR, Platform
from scheduler.demo.volume import Volume
from tests.e2e import recipes, support
from tests.e2e.deployed import Deployed, once
from tests.e2e.ends import table, verdict
from tests.e2e.ends.end import End
from tests.e2e.pod_logs import PodLogs
from tests.e2e.support import Jobs

_LOGIN_SECONDS = 2 * 3600
_LOG_LINES = 80


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The platform, installed from this very code as the demonstration does it."""

    def make() -> Deployed:
        assert devcluster.status().is_ready, "no cluster is ready: make up"
        platform = Platform.from_environ(os.environ)
        tools = installation.bootstrap(platform, tmp_path_factory.mktemp("platform"))
        images = installation.install(platform, tools)
        return Deployed(platform=platform, values=tools, images=images)

    return once(make)


@pytest.fixture(scope="session")
def platform(deployed: Deployed) -> Platform:
    return deployed.platform


@pytest.fixture(scope="session")
def cluster(platform: Platform) -> KubernetesCluster:
    """The administrator's view, for what is not asked of the servers."""
    return KubernetesCluster.from_kubeconfig(platform.kubeconfig)


@pytest.fixture(scope="session")
def login(cluster: KubernetesCluster) -> Login:
    """An operator's: its token by TokenRequest, and the addresses of the two Services."""
    account = discovery.Account(namespace=NAMESPACE, name=OPERATOR)
    given = Login(environment=ENVIRONMENT)
    return discovery.login(cluster, account=account, namespace=NAMESPACE, seconds=_LOGIN_SECONDS, given=given)


@pytest.fixture(scope="session")
def client(login: Login) -> Iterator[SchedulingClient]:
    with closing(SchedulingClient(login.url, token=lambda: login.token)) as client:
        yield client


@pytest.fixture(scope="session")
def store(login: Login) -> Iterator[ModelopsClient]:
    with closing(ModelopsClient(login.server_url, token=lambda: login.token)) as client:
        yield client


@pytest.fixture(scope="session")
def files(deployed: Deployed) -> Iterator[Volume]:
    """The volume that sources and sinks of the tests are on."""
    image = deployed.images["streaming-runtime"]
    with volume.mounted(deployed.platform, claim=recipes.CLAIM, size="1Gi", image=image) as mounted:
        yield mounted


@pytest.fixture(scope="session")
def pod_logs(cluster: KubernetesCluster) -> Iterator[PodLogs]:
    with PodLogs(cluster, ENVIRONMENT) as logs:
        yield logs


@pytest.fixture(scope="session")
def jobs(
    *,
    client: SchedulingClient,
    store: ModelopsClient,
    files: Volume,
    pod_logs: PodLogs,
    platform: Platform,
    login: Login,
) -> Jobs:
    return Jobs(client=client, store=store, files=files, platform=platform, logs=pod_logs, login=login)


@pytest.fixture(autouse=True)
def _forget_jobs() -> None:
    """Only the jobs that a test itself looked at are told about when it fails."""
    support.LOOKED_AT.clear()


@pytest.fixture
def end(request: pytest.FixtureRequest) -> End:
    """The row of the table of ends that the test's mark `end` names first."""
    mark = request.node.get_closest_marker("end")
    return table.ENDS[mark.args[0]]


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """A test that stands for rows of the table of ends has compared something with each of them."""
    verdict.COMPARED.clear()
    result = yield
    named = {id_ for mark in pyfuncitem.iter_markers("end") for id_ in mark.args}
    assert named <= verdict.COMPARED, f"not compared with: {', '.join(sorted(named - verdict.COMPARED))}"
    return result


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add to the report of a failed test what the containers of its jobs wrote."""
    report = yield
    if report.failed:  # type: ignore[attr-defined]
        for job, logs in support.LOOKED_AT.items():
            for title, lines in logs.of(job).items():
                report.sections.append((f"job {job}: {title}", "\n".join(lines[-_LOG_LINES:])))  # type: ignore[attr-defined]
    return report


def _turn(item: pytest.Item) -> int:
    """Tests that take the whole cluster away come before those that keep pods and connections in it."""
    if item.get_closest_marker("runs_first"):
        return 0
    return 2 if item.get_closest_marker("runs_last") else 1
