"""`python -m scheduler.modelops_server`: serve in a pod, under its own ServiceAccount."""

from __future__ import annotations

import os
import sys

from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.errors import InvalidInputError, UnavailableError
from scheduler.modelops_server import app
from scheduler.modelops_server.configuration import Configuration
from scheduler.web import own_token, serve
from scheduler.web.oidc import issuer as oidc


def main() -> None:
    configuration = Configuration.from_environ(os.environ)
    scheduling = SchedulingClient(
        configuration.scheduling_url, token=own_token.read, timeout_seconds=configuration.scheduling_seconds
    )
    try:
        application = app.create(
            configuration,
            cluster=KubernetesCluster.in_pod(),
            scheduling=scheduling,
            issuer=oidc.from_settings(configuration.oidc),
        )
    except (InvalidInputError, UnavailableError) as error:
        sys.exit(f"the modelops server does not start: {error}")
    serve.run(application, log_level=configuration.log_level)


if __name__ == "__main__":
    main()
