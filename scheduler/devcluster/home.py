"""Where the local cluster keeps its files: one folder, `MODELOPS_HOME`; sockets and mounts below `/run/modelops`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEFAULT: Final = Path("/var/lib/modelops")
RUN: Final = Path("/run/modelops")
"""Sockets, container mounts and network namespaces; gone after a restart of the machine, as it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The paths of one local cluster; nothing is created by asking for them."""

    root: Path
    run: Path = RUN

    @staticmethod
    def from_environ(environ: Mapping[str, str]) -> Home:
        """The folder that `MODELOPS_HOME` names, or the default."""
        return Home(root=Path(environ.get("MODELOPS_HOME") or DEFAULT).absolute())

    @property
    def bin(self) -> Path:
        """Built programs, each beside its stamp `<program>.stamp`."""
        return self.root / "bin"

    @property
    def go(self) -> Path:
        """Go itself, when it had to be brought."""
        return self.root / "go"

    @property
    def cluster(self) -> Path:
        """Everything that `down --purge` removes, volumes apart."""
        return self.root / "cluster"

    @property
    def pki(self) -> Path:
        return self.cluster / "pki"

    @property
    def data(self) -> Path:
        return self.cluster / "data"

    @property
    def logs(self) -> Path:
        return self.cluster / "logs"

    @property
    def pids(self) -> Path:
        return self.cluster / "pids"

    @property
    def configuration(self) -> Path:
        """Configuration files of the processes, written by `up`."""
        return self.cluster / "configuration"

    @property
    def manifests(self) -> Path:
        """What `up` applies to the cluster, as applied."""
        return self.cluster / "manifests"

    @property
    def stamps(self) -> Path:
        """What is already done (images pushed), by digest of its recipe."""
        return self.cluster / "stamps"

    @property
    def packages(self) -> Path:
        """Debian packages that are unpacked instead of installed, so that no service of theirs is started."""
        return self.root / "packages"

    @property
    def work(self) -> Path:
        """Scratch of an `up` at work; what a killed one left is removed by the next."""
        return self.root / "work"

    @property
    def volumes(self) -> Path:
        return self.root / "volumes"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's, mode 0600."""
        return self.root / "kubeconfig"

    @property
    def lock(self) -> Path:
        """Held while `up` or `down` works."""
        return self.root / "lock"

    @property
    def containerd_socket(self) -> Path:
        return self.run / "containerd.sock"
