"""The Pod Security Standard `restricted` as a function over a pod's spec (Kubernetes documentation)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_VOLUMES: Final = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_PROFILES: Final = {"RuntimeDefault", "Localhost"}
_HOST: Final = ("hostNetwork", "hostPID", "hostIPC")
_SYSCTLS: Final = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
}


def violations(pod: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything that Pod Security `restricted` would refuse; empty: the pod is admitted."""
    return (*_of_pod(pod), *(fault for container in _all(pod) for fault in _of_container(container, pod)))


def _all(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in ("initContainers", "containers", "ephemeralContainers"):
        yield from pod.get(key, ())


def _of_pod(pod: Mapping[str, Any]) -> Iterator[str]:
    context = pod.get("securityContext", {})
    yield from (f"{key} is set" for key in _HOST if pod.get(key))
    yield from (f"sysctl {item['name']}" for item in context.get("sysctls", ()) if item["name"] not in _SYSCTLS)
    for volume in pod.get("volumes", ()):
        yield from (f"volume {volume['name']} is a {kind}" for kind in volume.keys() - {"name"} - _VOLUMES)
    yield from _of_context(context, "the pod")


def _of_container(container: Mapping[str, Any], pod: Mapping[str, Any]) -> Iterator[str]:
    name = container["name"]
    own = container.get("securityContext", {})
    both = {**pod.get("securityContext", {}), **own}
    capabilities = own.get("capabilities", {})
    yield from _of_context(own, name)
    if own.get("privileged"):
        yield f"{name} is privileged"
    if own.get("procMount", "Default") != "Default":
        yield f"{name} unmasks /proc"
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{name} may escalate its privileges"
    if "ALL" not in capabilities.get("drop", ()):
        yield f"{name} keeps capabilities"
    yield from (f"{name} adds {added}" for added in capabilities.get("add", ()) if added != "NET_BIND_SERVICE")
    if both.get("runAsNonRoot") is not True:
        yield f"{name} may run as root"
    if both.get("seccompProfile", {}).get("type") not in _PROFILES:
        yield f"{name} has no seccomp profile"
    yield from (
        f"{name} takes port {port['hostPort']} of the host"
        for port in container.get("ports", ())
        if port.get("hostPort")
    )


def _of_context(context: Mapping[str, Any], who: str) -> Iterator[str]:
    if context.get("runAsNonRoot") is False:
        yield f"{who} allows root"
    if context.get("runAsUser") == 0:
        yield f"{who} runs as root"
    if context.get("seccompProfile", {}).get("type", "RuntimeDefault") not in _PROFILES:
        yield f"{who} turns seccomp off"
    if context.get("windowsOptions", {}).get("hostProcess"):
        yield f"{who} is a host process"
    if context.get("appArmorProfile", {}).get("type", "RuntimeDefault") not in _PROFILES:
        yield f"{who} turns AppArmor off"
    options = context.get("seLinuxOptions", {})
    if options.get("user") or options.get("role"):
        yield f"{who} sets an SELinux user or role"
    if options.get("type", "") not in {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}:
        yield f"{who} sets the SELinux type {options['type']}"
