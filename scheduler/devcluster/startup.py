"""Brings the local cluster up: whatever is missing is made, whatever stands is left, in one order."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from scheduler.devcluster import (
    certificates,
    configuration,
    go,
    health,
    images,
    kernel,
    leftovers,
    manifests,
    network,
    packages,
    plan,
    ports,
    processes,
    tekton,
    toolchain,
    volumes,
)
from scheduler.devcluster.addresses import Addresses
from scheduler.devcluster.configuration import Machine
from scheduler.devcluster.health import Asking
from scheduler.devcluster.home import Home
from scheduler.devcluster.kubectl import Kubectl, Manifest
from scheduler.devcluster.plan import Process
from scheduler.devcluster.toolchain import Tell
from scheduler.errors import ConflictError, UnavailableError

_READY_LIMIT = 180


def machine(environ: Mapping[str, str]) -> Machine:
    """The plan's inputs: the environment, and where Debian's programs lie (the usual places where they are not yet)."""
    home, where = Home.from_environ(environ), Addresses.from_environ(environ)
    found = {"runc": packages.find("runc"), "registry": packages.registry(home)}
    return Machine(home=home, addresses=where, **{name: str(path) for name, path in found.items() if path})


def require_same_network(given: Machine) -> None:
    """Refuse another network than the one that this cluster's certificates, services and images were made for."""
    record = given.home.cluster / "network"
    asked = str(given.addresses.network)
    made = record.read_text().strip() if record.exists() else asked
    if made != asked:
        raise ConflictError(f"this cluster was made for {made}, not {asked}: `down --purge` first, or ask for {made}")
    given.home.cluster.mkdir(parents=True, exist_ok=True)
    record.write_text(f"{asked}\n")


def programs(home: Home, tell: Tell) -> Path:
    """Build what is not built; the Go that was used."""
    found = go.find(home, tell)
    toolchain.build(toolchain.programs(), home, found, tell)
    return found


def node(machine: Machine, tell: Tell) -> None:
    """Kernel, network, certificates, files and processes."""
    home = machine.home
    kernel.load_modules()
    kernel.apply(home)
    if network.create(machine.addresses) and leftovers.kill_pods(home):
        # Their ends of the old bridge went with it; kubelet makes them anew on this one.
        tell("the bridge was missing: ended the pods that hung on it")
    made = certificates.write(home.pki, machine.addresses)
    if made:
        tell(f"made certificates: {', '.join(made)}")
    _write_kubeconfig(home)
    _write_files(machine)
    volumes.create(home)
    with health.asking(home) as ask:
        everything = plan.processes(machine)
        names = [process.name for process in everything]
        at = names.index("kube-apiserver") + 1
        _start(everything[:at], home, ask, tell)
        # CoreDNS becomes ready, and the policy controller sees its node, only with the rights given here.
        _apply("base", manifests.base(home), kubectl_of(home), tell)
        _start(everything[at:], home, ask, tell)


def content(machine: Machine, go_program: Path, tell: Tell) -> None:
    """Images in the registry, objects in the cluster, and the wait until they work."""
    home, registry = machine.home, machine.addresses.registry
    wanted = images.all_images(home, registry, images.debian_mirror())
    with images.asking(registry) as has:
        missing = images.missing(home, wanted, has=has)
    images.make(home, registry, missing, tell)
    kubectl = kubectl_of(home)
    _apply("tekton", tekton_manifests(machine, go_program), kubectl, tell)
    _wait_for_node(kubectl, tell)
    _wait_for_tekton(kubectl, tell)


def tekton_manifests(machine: Machine, go_program: Path) -> tuple[Manifest, ...]:
    """Tekton's objects as they are applied here."""
    controller = toolchain.TEKTON[-1]
    folder = toolchain.module_folder(controller, go_program) / "config"
    registry = machine.addresses.registry
    return tekton.build(
        tekton.read(folder),
        version=toolchain.version(controller),
        image=lambda name: f"{registry}/{images.tekton(name)}",
        shell_image=f"{registry}/{images.SHELL}",
    )


def kubectl_of(home: Home) -> Kubectl:
    """kubectl as the administrator of the cluster of this home."""
    return Kubectl(program=home.bin / "kubectl", kubeconfig=home.kubeconfig)


def _write_kubeconfig(home: Home) -> None:
    source = home.pki / "admin.kubeconfig"
    if not home.kubeconfig.exists() or home.kubeconfig.read_bytes() != source.read_bytes():
        part = home.kubeconfig.with_suffix(".part")
        shutil.copy2(source, part)  # with its mode, 0600
        part.replace(home.kubeconfig)


def _write_files(machine: Machine) -> None:
    machine.home.run.mkdir(parents=True, exist_ok=True, mode=0o711)
    for folder in (machine.home.data, machine.home.logs / "pods"):
        folder.mkdir(parents=True, exist_ok=True)
    for path, text in configuration.files(machine).items():
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def _start(wanted: Sequence[Process], home: Home, ask: Asking, tell: Tell) -> None:
    for process in wanted:
        began = time.monotonic()
        if _ensure(process, home, ask):
            tell(f"started {process.name} in {time.monotonic() - began:.1f} s")


def _ensure(process: Process, home: Home, ask: Asking) -> bool:
    """Whether it had to be started: it was not there, not ready, or started from another recipe."""
    running = processes.find(process.name, home)
    if running is not None:
        if running.recipe == processes.recipe(process) and ask(process):
            return False
        processes.stop(running)
        processes.forget(process.name, home)
    _require_free_ports(process)
    started = processes.start(process, home)
    health.wait(process, started, home, ask)
    return True


def _require_free_ports(process: Process, *, limit_seconds: float = 15) -> None:
    """A predecessor's port may take a moment to be free; somebody else's is named."""

    def taken() -> list[tuple[str, int, int]]:
        listening = ports.listeners()
        found = [(*port, ports.holder(*port, listening)) for port in process.ports]
        return [(address, port, one.inode) for address, port, one in found if one is not None]

    if processes.wait_until(lambda: not taken(), limit_seconds=limit_seconds, every_seconds=0.2):
        return
    held = taken()
    names = ports.owners(inode for *_, inode in held)
    listed = "; ".join(f"{address}:{port} by {names.get(inode, 'another process')}" for address, port, inode in held)
    raise ConflictError(f"{process.name} needs ports that are taken: {listed}. End those programs and try again.")


def _apply(name: str, documents: Sequence[Manifest], kubectl: Kubectl, tell: Tell) -> None:
    digest = manifests.digest(documents)
    if _applied(kubectl, name) == digest and _is_there(kubectl, name):
        return
    began = time.monotonic()
    kubectl.apply(documents)
    # last, so that an `up` killed in between applies again
    kubectl.apply([manifests.state(name, digest)])
    tell(f"applied {name}: {len(documents)} objects in {time.monotonic() - began:.1f} s")


def _applied(kubectl: Kubectl, name: str) -> str:
    words = ("configmap", manifests.state_name(name), "--namespace=kube-system", "--ignore-not-found")
    return kubectl("get", *words, "--output=jsonpath={.data.digest}")


def _is_there(kubectl: Kubectl, name: str) -> bool:
    if name == "base":
        return kubectl.answers("get", "storageclass", manifests.STORAGE_CLASS)
    return kubectl.answers("get", "deployments", f"--namespace={tekton.NAMESPACE}", *tekton.DEPLOYMENTS)


def _wait_for_node(kubectl: Kubectl, tell: Tell) -> None:
    began = time.monotonic()
    kubectl("wait", "--for=condition=Ready", "node", "--all", f"--timeout={_READY_LIMIT}s", limit_seconds=_READY_LIMIT)
    tell(f"node Ready after {time.monotonic() - began:.1f} s")


def _wait_for_tekton(kubectl: Kubectl, tell: Tell) -> None:
    began = time.monotonic()
    for name in tekton.DEPLOYMENTS:
        words = ("rollout", "status", f"--namespace={tekton.NAMESPACE}", f"deployment/{name}")
        kubectl(*words, f"--timeout={_READY_LIMIT}s", limit_seconds=_READY_LIMIT)
    if not processes.wait_until(lambda: tekton.answers(kubectl), limit_seconds=60, every_seconds=0.5):
        raise UnavailableError("Tekton's webhook admits no PipelineRun")
    tell(f"Tekton answers after {time.monotonic() - began:.1f} s")
