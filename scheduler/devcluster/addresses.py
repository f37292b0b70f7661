"""Addresses and ports of the local cluster: one place for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from scheduler.errors import InvalidInputError
from scheduler.model.problem import Problem

DEFAULT: Final = IPv4Network("10.217.0.0/16")
VARIABLE: Final = "MODELOPS_CLUSTER_NETWORK"
BRIDGE: Final = "modelops0"
"""The network interface that every pod hangs on, and on whose address the cluster's own servers listen."""
NODE: Final = "modelops"
DOMAIN: Final = "cluster.local"
LOOPBACK: Final = "127.0.0.1"

REGISTRY: Final = 5000
API_SERVER: Final = 16443
ETCD: Final = 16379
ETCD_PEER: Final = 16380
KUBELET: Final = 16250
KUBELET_HEALTH: Final = 16248
CONTROLLER_MANAGER: Final = 16257
SCHEDULER: Final = 16259
PROXY_HEALTH: Final = 16256
PROXY_METRICS: Final = 16249
POLICY_HEALTH: Final = 16060
DNS: Final = 53
DNS_HEALTH: Final = 16053
DNS_READY: Final = 16054


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """How one private /16 is shared: pods in its first /20, services in its second.

    >>> Addresses(network=DEFAULT).gateway
    IPv4Address('10.217.0.1')
    """

    network: IPv4Network = DEFAULT

    @staticmethod
    def from_environ(environ: Mapping[str, str]) -> Addresses:
        """The /16 that `MODELOPS_CLUSTER_NETWORK` names; anything but a private /16 is refused."""
        text = environ.get(VARIABLE) or str(DEFAULT)
        try:
            network = IPv4Network(text)
        except ValueError:
            network = None
        if network is None or network.prefixlen != 16 or not network.is_private or network.is_loopback:
            message = f"'{text}' is not a private network of 16 bits, such as {DEFAULT}"
            raise InvalidInputError([Problem(pointer=VARIABLE, message=message)])
        return Addresses(network=network)

    @property
    def pods(self) -> IPv4Network:
        return next(self.network.subnets(new_prefix=20))

    @property
    def services(self) -> IPv4Network:
        return list(self.network.subnets(new_prefix=20))[1]

    @property
    def gateway(self) -> IPv4Address:
        """The bridge's address: node, API server, DNS and registry are all reached here."""
        return self.pods[1]

    @property
    def kubernetes_service(self) -> IPv4Address:
        return self.services[1]

    @property
    def registry(self) -> str:
        """Registry as containerd, pods and the machine's own programs name it."""
        return f"{self.gateway}:{REGISTRY}"

    @property
    def api_server(self) -> str:
        return f"https://{self.gateway}:{API_SERVER}"
