"""Builds the cluster's programs from pinned Go modules, each once.

A program is current while the digest of its go.mod, go.sum, sources, Go version and flags is the one in its stamp. The
versions stand in the go.mod files alone; flags that repeat one take it from there.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from scheduler import command
from scheduler.devcluster.home import Home
from scheduler.errors import NotFoundError
from scheduler.golang import compiler

MODULES: Final = Path(__file__).parent / "toolchain"
BENTO_MODULE: Final = Path(__file__).parents[1] / "flow" / "bento"
_BUILD_LIMIT: Final = 3600
_PINNED: Final = re.compile(r"^\s*(?:require\s+)?(\S+)\s+(v\S+)", re.MULTILINE)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program to build."""

    name: str
    module: str
    """Folder of its go.mod, below `toolchain/` or an absolute path."""
    package: str = "."
    pinned: str = ""
    """Module whose version is the program's own; `.` programs are ours and have none."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Go variables set at link time; `{version}`, `{major}` and `{minor}` stand for the pinned version."""
    tags: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return BENTO_MODULE if self.module == "bento" else MODULES / self.module


_KUBERNETES_VERSION: Final = MappingProxyType(
    {
        # without them the API server takes itself for version 0.0 and refuses its own clients
        "k8s.io/component-base/version.gitVersion": "{version}",
        "k8s.io/component-base/version.gitMajor": "{major}",
        "k8s.io/component-base/version.gitMinor": "{minor}",
    }
)
_CONTAINERD: Final = "github.com/containerd/containerd/v2"
_TEKTON: Final = "github.com/tektoncd/pipeline"


def _kubernetes(name: str) -> Program:
    return Program(
        name=name,
        module="kubernetes",
        package=f"k8s.io/kubernetes/cmd/{name}",
        pinned="k8s.io/kubernetes",
        variables=_KUBERNETES_VERSION,
    )


def _containerd(name: str) -> Program:
    return Program(
        name=name,
        module="containerd",
        package=f"{_CONTAINERD}/cmd/{name}",
        pinned=_CONTAINERD,
        variables=MappingProxyType({f"{_CONTAINERD}/version.Version": "{version}"}),
        tags=("no_btrfs", "no_devmapper", "no_zfs"),
    )


def _tekton(name: str) -> Program:
    return Program(name=f"tekton-{name}", module="tekton", package=f"{_TEKTON}/cmd/{name}", pinned=_TEKTON)


HELM: Final = Program(
    name="helm",
    module="helm",
    package="helm.sh/helm/v3/cmd/helm",
    pinned="helm.sh/helm/v3",
    # without it helm calls itself v3.22, which is no semantic version and is refused by pyhelm3
    variables=MappingProxyType({"helm.sh/helm/v3/internal/version.version": "{version}"}),
)
BENTO: Final = Program(name="bento", module="bento", pinned="github.com/warpstreamlabs/bento")
KUBECTL: Final = _kubernetes("kubectl")
TEKTON: Final = tuple(
    _tekton(name)
    for name in ("entrypoint", "nop", "workingdirinit", "events", "sidecarlogresults", "webhook", "controller")
)
_CLUSTER: Final = (
    HELM,
    Program(name="pause", module="pause"),
    Program(name="etcd", module="etcd", package="go.etcd.io/etcd/server/v3", pinned="go.etcd.io/etcd/server/v3"),
    *(_containerd(name) for name in ("containerd", "containerd-shim-runc-v2", "ctr")),
    _kubernetes("kube-apiserver"),
    KUBECTL,
    *(_kubernetes(name) for name in ("kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy")),
    Program(name="coredns", module="coredns", pinned="github.com/coredns/coredns"),
    Program(name="netpol", module="netpol", pinned="github.com/cloudnativelabs/kube-router"),
    *TEKTON,
)


def programs() -> tuple[Program, ...]:
    """Everything that the local cluster and the demo need, in the order in which it is built."""
    return (*_CLUSTER, BENTO) if (BENTO_MODULE / "main.go").exists() else _CLUSTER


def version(program: Program) -> str:
    """The version that its go.mod pins, such as `v1.34.4`; `dev` for a program of our own."""
    if not program.pinned:
        return "dev"
    for module, pinned in _PINNED.findall((program.folder / "go.mod").read_text()):
        if module == program.pinned:
            return str(pinned)
    raise NotFoundError(f"{program.folder / 'go.mod'} does not require {program.pinned}")


def flags(program: Program) -> tuple[str, ...]:
    """Flags of `go build`: small, reproducible, and naming its version."""
    known = version(program)
    major, minor = known.removeprefix("v").split(".")[:2] if program.pinned else ("0", "0")
    given = [
        f"-X {name}={value.format(version=known, major=major, minor=minor)}"
        for name, value in program.variables.items()
    ]
    return compiler.flags(tags=program.tags, variables=given)


def digest(program: Program, go_version: str) -> str:
    """What the stamp of a current build holds."""
    given = [go_version, program.package, *flags(program), *sorted(compiler.ENVIRON.values())]
    made = hashlib.sha256("\0".join(given).encode())
    for source in compiler.sources(program.folder):
        made.update(f"\0{source.relative_to(program.folder)}\0".encode() + source.read_bytes())
    return made.hexdigest()


def is_current(program: Program, home: Home, go_version: str) -> bool:
    """Whether the program is there, built from exactly these sources."""
    stamp = home.bin / f"{program.name}.stamp"
    built = (home.bin / program.name).exists() and stamp.exists()
    return built and stamp.read_text() == digest(program, go_version)


def build(wanted: Sequence[Program], home: Home, go: Path, tell: Tell) -> tuple[str, ...]:
    """Build those that are not current, telling how far it is; the names of what was built."""
    go_version = compiler.version_of(go)
    missing = [program for program in wanted if not is_current(program, home, go_version)]
    home.bin.mkdir(parents=True, exist_ok=True)
    for left in home.bin.glob("*.part-*"):  # by an `up` that was killed
        left.unlink()
    began = time.monotonic()
    for number, program in enumerate(missing, start=1):
        tell(f"building {program.name} {version(program)} ({number} of {len(missing)})")
        started = time.monotonic()
        size = _build(program, home, go, _teller(program.name, tell))
        now = time.monotonic()
        tell(
            f"built {program.name}: {size / 1e6:.0f} MB in {now - started:.0f} s"
            f" ({number} of {len(missing)}, {_minutes(now - began)} in all)"
        )
    return tuple(program.name for program in missing)


def module_folder(program: Program, go: Path) -> Path:
    """Where Go's module cache holds the pinned module's sources; downloaded when they are not there."""
    words: list[str | Path] = [go, "mod", "download", "-json", program.pinned]
    text = command.run(words, limit_seconds=600, environ=compiler.ENVIRON, folder=program.folder)
    found = re.search(r'"Dir":\s*"([^"]+)"', text)
    if found is None:
        raise NotFoundError(f"go knows no folder of {program.pinned}")
    return Path(found.group(1))


def _build(program: Program, home: Home, go: Path, still: Callable[[float], None]) -> int:
    target, stamp = home.bin / program.name, home.bin / f"{program.name}.stamp"
    # a name of our own: the compiler of an `up` that was killed may still be writing to its
    part = home.bin / f"{program.name}.part-{os.getpid()}"
    given = digest(program, compiler.version_of(go))
    words: list[str | Path] = [go, "build", *flags(program), "-o", part, program.package]
    command.run(words, limit_seconds=_BUILD_LIMIT, environ=compiler.ENVIRON, folder=program.folder, still=still)
    # Stamp away, program in place, stamp: a kill between any two means building again, never a wrong stamp.
    stamp.unlink(missing_ok=True)
    part.replace(target)
    stamp_part = stamp.with_name(f"{stamp.name}.part-{os.getpid()}")
    stamp_part.write_text(given)
    stamp_part.replace(stamp)
    return target.stat().st_size


def _teller(name: str, tell: Tell) -> Callable[[float], None]:
    return lambda gone: tell(f"  {name}: {gone:.0f} s so far")


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"
