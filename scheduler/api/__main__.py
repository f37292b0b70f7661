"""`python -m scheduler.api`: the scheduling server in a pod, under its own ServiceAccount."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from prometheus_client import start_http_server

from scheduler import assets
from scheduler.api import app, runners
from scheduler.artifacts.client import ModelopsClient
from scheduler.channels import registry
from scheduler.cluster import faults
from scheduler.cluster.connection import Manner
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.cluster.mirror import Mirror
from scheduler.cluster.port import Cluster
from scheduler.helm.pyhelm import HelmProgram
from scheduler.jobs import scoring_servers
from scheduler.jobs.board import Board
from scheduler.jobs.git_source import GitServer
from scheduler.jobs.granted import Granted
from scheduler.jobs.ports import Ports
from scheduler.jobs.totals import JobTotals
from scheduler.lint.bento import BentoLint
from scheduler.settings import Settings
from scheduler.tekton import slim
from scheduler.web import own_token, serve
from scheduler.web.oidc import issuer as oidc

METRICS_PORT: Final = 9090


def main() -> None:
    settings = Settings.from_environ(os.environ)
    serve.configure_logging(settings.globals_.log_level)
    cluster = faults.switched(
        KubernetesCluster.in_pod(manner=Manner(user_agent=runners.user_agent())), os.environ.get(faults.VARIABLE, "")
    )
    server = app.create(ports_of(settings, cluster, token=own_token.read), issuer=oidc.from_settings(settings.oidc))
    start_http_server(METRICS_PORT, registry=server.metrics.registry)
    logging.getLogger(__name__).info("environments: %s", ", ".join(settings.environments))
    serve.run(server.app, log_level=settings.globals_.log_level)


def ports_of(settings: Settings, cluster: Cluster, *, token: Callable[[], str]) -> Ports:
    """The real ports: this cluster, the modelops server, the git server, and the programs of this image."""
    return Ports(
        cluster=cluster,
        board=Board(Mirror(cluster, namespaces=settings.environments, slims=slim.OF_KIND), cluster=cluster),
        settings=settings,
        store=Granted(ModelopsClient(settings.modelops_server_url, token=token)),
        linter=BentoLint(),
        totals=JobTotals(HelmProgram(), chart=assets.subchart("scoring-pipeline")),
        git=GitServer(base_url=settings.globals_.git_server_url),
        channels=partial(registry.channels, cluster),
        scoring_servers=scoring_servers.installed(),
        clock=lambda: datetime.now(UTC),
        runner=runners.of,
    )


if __name__ == "__main__":
    main()
