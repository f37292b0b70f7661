"""A second API server beside the local cluster's, on loopback: real, with nothing behind it and nothing in it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from scheduler.devcluster.kubectl import Kubectl
from scheduler.errors import ProgramError, UnavailableError

_LOOPBACK: Final = "127.0.0.1"
_SERVICES: Final = "192.0.2.0/24"
_LIMIT_SECONDS: Final = 60
_TOKEN: Final = "administrator-of-nothing"
_LIBRARIES: Final = {"PATH": "/usr/bin:/bin"}


@contextmanager
def running(programs: Path, folder: Path) -> Iterator[Kubectl]:
    """etcd and kube-apiserver with data in `folder`, until the context ends; kubectl as their administrator."""
    peer, client, secure = _free_ports(3)
    _write_keys(folder)
    with (
        _process(programs / "etcd", _etcd(folder, client, peer), folder),
        _process(programs / "kube-apiserver", _api_server(folder, client, secure), folder) as server,
    ):
        kubectl = Kubectl(program=programs / "kubectl", kubeconfig=folder / "kubeconfig")
        _await(kubectl, server, folder, secure)
        yield kubectl


def kubeconfig(*, server: str, token: str, authority: Path) -> str:
    """A kubeconfig with a bearer token."""
    document: Mapping[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    return yaml.safe_dump(document)


def _etcd(folder: Path, client: int, peer: int) -> Sequence[str]:
    there, between = f"http://{_LOOPBACK}:{client}", f"http://{_LOOPBACK}:{peer}"
    return (
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={there}",
        f"--advertise-client-urls={there}",
        f"--listen-peer-urls={between}",
        f"--initial-advertise-peer-urls={between}",
        f"--initial-cluster=default={between}",
        "--unsafe-no-fsync",
        "--log-level=error",
    )


def _api_server(folder: Path, client: int, secure: int) -> Sequence[str]:
    return (
        f"--etcd-servers=http://{_LOOPBACK}:{client}",
        f"--bind-address={_LOOPBACK}",
        f"--secure-port={secure}",
        f"--cert-dir={folder}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        f"--service-cluster-ip-range={_SERVICES}",
        "--service-account-issuer=https://nowhere.invalid",
        f"--service-account-key-file={folder / 'accounts.key'}",
        f"--service-account-signing-key-file={folder / 'accounts.key'}",
        "--authorization-mode=RBAC",
        "--endpoint-reconciler-type=none",
    )


def _write_keys(folder: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (folder / "accounts.key").write_bytes(text)
    (folder / "tokens.csv").write_text(f'{_TOKEN},administrator,1,"system:masters"\n')


@contextmanager
def _process(program: Path, arguments: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{program.name}.log").open("wb") as log:
        process = subprocess.Popen(
            [program, *arguments], stdout=log, stderr=log, env=_LIBRARIES, cwd=folder, start_new_session=True
        )
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def _await(kubectl: Kubectl, server: subprocess.Popen[bytes], folder: Path, port: int) -> None:
    deadline = time.monotonic() + _LIMIT_SECONDS
    while True:
        authority = folder / "apiserver.crt"
        if authority.exists():
            url = f"https://{_LOOPBACK}:{port}"
            (folder / "kubeconfig").write_text(kubeconfig(server=url, token=_TOKEN, authority=authority))
            with suppress(ProgramError, UnavailableError):
                kubectl("get", "--raw=/readyz", limit_seconds=5)
                return
        words = (folder / "kube-apiserver.log").read_text(errors="replace")[-2000:]
        assert server.poll() is None, words
        assert time.monotonic() < deadline, words
        time.sleep(0.3)


def _free_ports(count: int) -> list[int]:
    """Ports that nobody has now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((_LOOPBACK, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
