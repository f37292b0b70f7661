"""`python -m scheduler.modelops_server`: serve in a pod, under its own ServiceAccount."""

from __future__ import annotations

import os

from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.modelops_server import app
from scheduler.modelops_server.configuration import Configuration
from scheduler.web import serve


def main() -> None:
    configuration = Configuration.from_environ(os.environ)
    serve.run(app.create(configuration, cluster=KubernetesCluster.in_pod()), log_level=configuration.log_level)


if __name__ == "__main__":
    main()
