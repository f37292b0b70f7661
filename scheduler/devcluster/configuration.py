"""The configuration files of the cluster's processes. Pure: text out, nothing read or written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scheduler.devcluster import addresses
from scheduler.devcluster.addresses import Addresses
from scheduler.devcluster.home import Home

CNI_NETWORK = "modelops"
PAUSE = "modelops/pause:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the plan must know of this machine."""

    home: Home
    addresses: Addresses
    runc: str = "/usr/sbin/runc"
    registry: str = "/usr/bin/docker-registry"
    cni: str = "/usr/lib/cni"


def files(machine: Machine) -> Mapping[Path, str]:
    """Every configuration file by its path."""
    folder = machine.home.configuration
    registry = machine.addresses.registry
    loopback = f"localhost:{addresses.REGISTRY}"
    return {
        folder / "containerd.toml": containerd(machine),
        folder / "certs.d" / registry / "hosts.toml": hosts(registry),
        folder / "certs.d" / loopback / "hosts.toml": hosts(registry),
        folder / "cni" / "10-modelops.conflist": json.dumps(cni(machine), indent=1),
        folder / "registry.yaml": _yaml(registry_server(machine, str(machine.addresses.gateway))),
        folder / "registry-loopback.yaml": _yaml(registry_server(machine, addresses.LOOPBACK)),
        folder / "kubelet.yaml": _yaml(kubelet(machine)),
        folder / "kube-proxy.yaml": _yaml(kube_proxy(machine)),
        folder / "Corefile": corefile(machine),
    }


def containerd(machine: Machine) -> str:
    """containerd's own file; two settings are not for taste.

    `restrict_oom_score_adj`: without CAP_SYS_RESOURCE every sandbox would fail. `netns_mounts_under_state_dir`: so that
    `down` can tell our network namespaces from those of others.
    """
    home, registry = machine.home, machine.addresses.registry
    return f"""\
version = 3
root = '{home.data / "containerd"}'
state = '{home.run / "containerd"}'
disabled_plugins = ['io.containerd.nri.v1.nri', 'io.containerd.snapshotter.v1.blockfile']

[grpc]
  address = '{home.containerd_socket}'

[plugins.'io.containerd.internal.v1.opt']
  path = '{home.data / "containerd-opt"}'

[plugins.'io.containerd.cri.v1.images']
  snapshotter = 'overlayfs'
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = '{registry}/{PAUSE}'
  [plugins.'io.containerd.cri.v1.images'.registry]
    config_path = '{home.configuration / "certs.d"}'

[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ['{machine.cni}']
    conf_dir = '{home.configuration / "cni"}'
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = 'io.containerd.runc.v2'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      BinaryName = '{machine.runc}'
      SystemdCgroup = false
"""


def hosts(registry: str) -> str:
    """Says that this registry is reached by plain HTTP, whatever name it was called by."""
    return f"""\
server = 'http://{registry}'

[host.'http://{registry}']
  capabilities = ['pull', 'resolve']
"""


def cni(machine: Machine) -> dict[str, Any]:
    """Pods on one bridge, their addresses from one file store, host ports by iptables."""
    ipam = {
        "type": "host-local",
        "dataDir": str(machine.home.data / "cni"),
        "ranges": [[{"subnet": str(machine.addresses.pods), "gateway": str(machine.addresses.gateway)}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {
        "type": "bridge",
        "bridge": addresses.BRIDGE,
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": ipam,
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": CNI_NETWORK, "plugins": [bridge, ports]}


def registry_server(machine: Machine, address: str) -> dict[str, Any]:
    """One of the two listeners of the registry; they share one storage, so neither may cache what the other deletes."""
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(machine.home.data / "registry")},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        # Uploads may begin at one listener and end at the other; it guards nothing on a registry without accounts.
        "http": {"addr": f"{address}:{addresses.REGISTRY}", "secret": "one-storage-two-listeners"},
    }


def kubelet(machine: Machine) -> dict[str, Any]:
    """The node's agent, told to leave alone what it may not touch on an ordinary machine (swap, its own OOM score)."""
    pki, data = machine.home.pki, machine.home.data
    gateway = str(machine.addresses.gateway)
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": gateway,
        "port": addresses.KUBELET,
        "readOnlyPort": 0,
        "healthzBindAddress": addresses.LOOPBACK,
        "healthzPort": addresses.KUBELET_HEALTH,
        "tlsCertFile": str(pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(pki / "kubelet.key"),
        **_guarded(pki / "ca.crt"),
        "containerRuntimeEndpoint": f"unix://{machine.home.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "failSwapOn": False,
        "failCgroupV1": False,
        "oomScoreAdj": 0,
        "clusterDNS": [gateway],
        "clusterDomain": addresses.DOMAIN,
        "serializeImagePulls": False,
        "maxPods": 200,
        "podLogsDir": str(machine.home.logs / "pods"),
        "volumePluginDir": str(data / "volume-plugins"),
        # The images cannot be pulled again from anywhere else; a nearly full disk must not cost them, nor the pods.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
    }


def _guarded(authority: Path) -> dict[str, Any]:
    """Nobody uses the kubelet but those whom the API server vouches for."""
    ways = {"anonymous": {"enabled": False}, "webhook": {"enabled": True}, "x509": {"clientCAFile": str(authority)}}
    return {"authentication": ways, "authorization": {"mode": "Webhook"}}


def kube_proxy(machine: Machine) -> dict[str, Any]:
    """Services by iptables; node ports on the bridge alone, and the machine's conntrack limits left as they are."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(machine.home.pki / "kube-proxy.kubeconfig")},
        "hostnameOverride": addresses.NODE,
        "bindAddress": str(machine.addresses.gateway),
        "healthzBindAddress": f"{addresses.LOOPBACK}:{addresses.PROXY_HEALTH}",
        "metricsBindAddress": f"{addresses.LOOPBACK}:{addresses.PROXY_METRICS}",
        "mode": "iptables",
        "clusterCIDR": str(machine.addresses.pods),
        "nodePortAddresses": [str(machine.addresses.pods)],
        "iptables": {"localhostNodePorts": False, "minSyncPeriod": "0s", "syncPeriod": "30s"},
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "oomScoreAdj": 0,
    }


def corefile(machine: Machine) -> str:
    """Cluster names from the API server, all others from whom this machine asks; short caches, for pods come and go."""
    return f"""\
.:{addresses.DNS} {{
    bind {machine.addresses.gateway}
    errors
    health {addresses.LOOPBACK}:{addresses.DNS_HEALTH}
    ready {addresses.LOOPBACK}:{addresses.DNS_READY}
    kubernetes {addresses.DOMAIN} in-addr.arpa {{
        kubeconfig {machine.home.pki / "coredns.kubeconfig"} modelops
        pods insecure
        ttl 2
        fallthrough in-addr.arpa
    }}
    forward . /etc/resolv.conf
    cache 30 {{
        success 9984 30 1
        denial 9984 2 1
        disable success {addresses.DOMAIN}
        disable denial {addresses.DOMAIN}
    }}
    loop
}}
"""


def _yaml(document: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(document), sort_keys=False)
