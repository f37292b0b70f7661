"""What runs on the machine when the local cluster is up: each process, its command line, and in which order. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scheduler.devcluster import addresses
from scheduler.devcluster.configuration import Machine

Port = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """How to ask a process whether it is ready: a URL that answers 200, or else a socket that accepts."""

    url: str = ""
    socket: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process; it starts when those before it in the plan are ready."""

    name: str
    command: tuple[str, ...]
    ports: tuple[Port, ...] = ()
    """TCP addresses that it listens on; they must be free before it starts."""
    readiness: Readiness = Readiness()
    files: tuple[Path, ...] = ()
    """Files besides the program whose change means a restart."""
    limit_seconds: float = 60
    """How long it may take to become ready."""

    @property
    def program(self) -> Path:
        return Path(self.command[0])


ORDER: Final = (
    "containerd",
    "registry",
    "registry-loopback",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "coredns",
    "netpol",
)


def processes(machine: Machine) -> tuple[Process, ...]:
    """All processes in the order in which they start; `down` ends them in the opposite one."""
    made = {process.name: process for process in (*_storage(machine), *_control_plane(machine), *_node(machine))}
    return tuple(made[name] for name in ORDER)


def _storage(machine: Machine) -> tuple[Process, ...]:
    home, bridge = machine.home, str(machine.addresses.gateway)
    configuration = home.configuration / "containerd.toml"
    containerd = Process(
        name="containerd",
        command=(str(home.bin / "containerd"), "--config", str(configuration)),
        readiness=Readiness(socket=home.containerd_socket),
        files=(configuration,),
    )
    return (containerd, _registry(machine, "registry", bridge), _registry(machine, "registry-loopback", "127.0.0.1"))


def _registry(machine: Machine, name: str, address: str) -> Process:
    configuration = machine.home.configuration / f"{name}.yaml"
    return Process(
        name=name,
        command=(machine.registry, "serve", str(configuration)),
        ports=((address, addresses.REGISTRY),),
        readiness=Readiness(url=f"http://{address}:{addresses.REGISTRY}/v2/"),
        files=(configuration,),
    )


def _control_plane(machine: Machine) -> tuple[Process, ...]:
    return (_etcd(machine), _api_server(machine), _controller_manager(machine), _scheduler(machine))


def _etcd(machine: Machine) -> Process:
    home, pki = machine.home, machine.home.pki
    client = f"https://{addresses.LOOPBACK}:{addresses.ETCD}"
    peer = f"https://{addresses.LOOPBACK}:{addresses.ETCD_PEER}"
    secured = [
        *(f"--cert-file={pki}/etcd.crt", f"--key-file={pki}/etcd.key"),
        *(f"--trusted-ca-file={pki}/ca.crt", "--client-cert-auth"),
        *(f"--peer-cert-file={pki}/etcd.crt", f"--peer-key-file={pki}/etcd.key"),
        *(f"--peer-trusted-ca-file={pki}/ca.crt", "--peer-client-cert-auth"),
    ]
    return Process(
        name="etcd",
        command=(
            str(home.bin / "etcd"),
            "--name=modelops",
            f"--data-dir={home.data / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=modelops={peer}",
            "--auto-compaction-mode=periodic",
            "--auto-compaction-retention=30m",
            "--quota-backend-bytes=4294967296",
            "--log-level=warn",
            *secured,
        ),
        ports=((addresses.LOOPBACK, addresses.ETCD), (addresses.LOOPBACK, addresses.ETCD_PEER)),
        readiness=Readiness(url=f"{client}/health"),
        files=(pki / "etcd.crt", pki / "ca.crt"),
    )


def _api_server(machine: Machine) -> Process:
    home, where, pki = machine.home, machine.addresses, machine.home.pki
    gateway = str(where.gateway)
    return Process(
        name="kube-apiserver",
        command=(
            str(home.bin / "kube-apiserver"),
            f"--bind-address={gateway}",
            f"--advertise-address={gateway}",
            f"--secure-port={addresses.API_SERVER}",
            f"--etcd-servers=https://{addresses.LOOPBACK}:{addresses.ETCD}",
            f"--etcd-cafile={pki}/ca.crt",
            f"--etcd-certfile={pki}/kube-apiserver.crt",
            f"--etcd-keyfile={pki}/kube-apiserver.key",
            f"--service-cluster-ip-range={where.services}",
            f"--tls-cert-file={pki}/kube-apiserver.crt",
            f"--tls-private-key-file={pki}/kube-apiserver.key",
            f"--client-ca-file={pki}/ca.crt",
            f"--kubelet-certificate-authority={pki}/ca.crt",
            f"--kubelet-client-certificate={pki}/kube-apiserver.crt",
            f"--kubelet-client-key={pki}/kube-apiserver.key",
            # Else logs and exec would look the node's name up in DNS, which does not know it.
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-issuer=https://kubernetes.default.svc.{addresses.DOMAIN}",
            f"--service-account-key-file={pki}/service-accounts.pub",
            f"--service-account-signing-key-file={pki}/service-accounts.key",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
        ),
        ports=((gateway, addresses.API_SERVER),),
        readiness=Readiness(url=f"{where.api_server}/readyz"),
        files=(pki / "kube-apiserver.crt", pki / "ca.crt", pki / "service-accounts.key"),
        limit_seconds=120,
    )


def _controller_manager(machine: Machine) -> Process:
    pki = machine.home.pki
    return _loopback(
        machine,
        "kube-controller-manager",
        addresses.CONTROLLER_MANAGER,
        f"--service-account-private-key-file={pki}/service-accounts.key",
        f"--root-ca-file={pki}/ca.crt",
        f"--cluster-signing-cert-file={pki}/ca.crt",
        f"--cluster-signing-key-file={pki}/ca.key",
        "--use-service-account-credentials=true",
    )


def _scheduler(machine: Machine) -> Process:
    return _loopback(machine, "kube-scheduler", addresses.SCHEDULER)


def _loopback(machine: Machine, name: str, port: int, *flags: str) -> Process:
    """A part of the control plane that serves nobody but us."""
    home, pki = machine.home, machine.home.pki
    kubeconfig = pki / f"{name}.kubeconfig"
    return Process(
        name=name,
        command=(
            str(home.bin / name),
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            f"--bind-address={addresses.LOOPBACK}",
            f"--secure-port={port}",
            f"--tls-cert-file={pki / name}.crt",
            f"--tls-private-key-file={pki / name}.key",
            "--leader-elect=false",
            *flags,
        ),
        ports=((addresses.LOOPBACK, port),),
        readiness=Readiness(url=f"https://{addresses.LOOPBACK}:{port}/healthz"),
        files=(kubeconfig,),
    )


def _kubelet(machine: Machine) -> Process:
    home, gateway = machine.home, str(machine.addresses.gateway)
    configuration = home.configuration / "kubelet.yaml"
    return Process(
        name="kubelet",
        command=(
            str(home.bin / "kubelet"),
            f"--config={configuration}",
            f"--kubeconfig={home.pki / 'kubelet.kubeconfig'}",
            f"--root-dir={home.data / 'kubelet'}",
            f"--cert-dir={home.data / 'kubelet' / 'pki'}",
            f"--hostname-override={addresses.NODE}",
            f"--node-ip={gateway}",
        ),
        ports=((gateway, addresses.KUBELET), (addresses.LOOPBACK, addresses.KUBELET_HEALTH)),
        readiness=Readiness(url=f"http://{addresses.LOOPBACK}:{addresses.KUBELET_HEALTH}/healthz"),
        files=(configuration, home.pki / "kubelet.kubeconfig"),
    )


def _node(machine: Machine) -> tuple[Process, ...]:
    home, where = machine.home, machine.addresses
    proxy, dns = (home.configuration / name for name in ("kube-proxy.yaml", "Corefile"))
    loopback = f"http://{addresses.LOOPBACK}"
    return (
        _kubelet(machine),
        Process(
            name="kube-proxy",
            command=(str(home.bin / "kube-proxy"), f"--config={proxy}"),
            ports=((addresses.LOOPBACK, addresses.PROXY_HEALTH), (addresses.LOOPBACK, addresses.PROXY_METRICS)),
            readiness=Readiness(url=f"{loopback}:{addresses.PROXY_HEALTH}/healthz"),
            files=(proxy, home.pki / "kube-proxy.kubeconfig"),
        ),
        Process(
            name="coredns",
            command=(str(home.bin / "coredns"), "-conf", str(dns)),
            ports=((str(where.gateway), addresses.DNS),),
            readiness=Readiness(url=f"{loopback}:{addresses.DNS_READY}/ready"),
            files=(dns, home.pki / "coredns.kubeconfig"),
        ),
        Process(
            name="netpol",
            command=(
                str(home.bin / "netpol"),
                f"--kubeconfig={home.pki / 'netpol.kubeconfig'}",
                f"--service-range={where.services}",
                f"--node={addresses.NODE}",
                f"--health={addresses.LOOPBACK}:{addresses.POLICY_HEALTH}",
            ),
            ports=((addresses.LOOPBACK, addresses.POLICY_HEALTH),),
            readiness=Readiness(url=f"{loopback}:{addresses.POLICY_HEALTH}/healthz"),
            files=(home.pki / "netpol.kubeconfig",),
        ),
    )
