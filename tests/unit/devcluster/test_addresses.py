"""Addresses of the cluster."""

from __future__ import annotations

import pytest

from scheduler.devcluster.addresses import Addresses
from scheduler.errors import InvalidInputError


def test_pods_and_services_share_the_network_without_overlap() -> None:
    where = Addresses()
    assert where.pods.subnet_of(where.network)
    assert where.services.subnet_of(where.network)
    assert not where.pods.overlaps(where.services)
    assert where.gateway in where.pods
    assert where.kubernetes_service in where.services


@pytest.mark.parametrize("text", ["10.0.0.0/8", "8.8.0.0/16", "127.0.0.0/16", "10.1.2.3/16", "fd00::/16", "here"])
def test_anything_but_a_private_network_of_16_bits_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"MODELOPS_CLUSTER_NETWORK: .*is not a private network of 16 bits"):
        Addresses.from_environ({"MODELOPS_CLUSTER_NETWORK": text})


def test_an_empty_variable_means_the_default() -> None:
    assert Addresses.from_environ({"MODELOPS_CLUSTER_NETWORK": ""}) == Addresses()
