"""The kubeconfig of a program that is to act as another account."""

from __future__ import annotations

import json

import pytest

from scheduler import names
from scheduler.cluster import impersonation
from scheduler.errors import NotFoundError

IN_POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def test_it_names_the_account_and_the_file_of_the_token_and_holds_no_credential() -> None:
    document = impersonation.kubeconfig(names.runner_user("staging"), environ=IN_POD)

    (user,), (cluster,) = document["users"], document["clusters"]
    assert user["user"] == {
        "tokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token",
        "as": "system:serviceaccount:staging:modelops-runner",
    }
    assert cluster["cluster"]["server"] == "https://10.96.0.1:443"
    assert not {"token", "client-key-data", "password"} & set(json.dumps(document).replace('"', " ").split())


def test_an_address_of_version_six_is_put_in_brackets() -> None:
    document = impersonation.kubeconfig("somebody", environ={**IN_POD, "KUBERNETES_SERVICE_HOST": "fd00::1"})
    assert document["clusters"][0]["cluster"]["server"] == "https://[fd00::1]:443"


def test_outside_of_a_pod_there_is_none() -> None:
    with pytest.raises(NotFoundError, match="KUBERNETES_SERVICE_HOST"):
        impersonation.kubeconfig("somebody", environ={})
