"""The check that the other tests rely on must itself find what it is to find."""

from __future__ import annotations

from typing import Any

import pytest

from tests.charts import restricted

SAFE: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(*, of_pod: dict[str, Any] | None = None, context: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"containers": [{"name": "c", "securityContext": {**SAFE, **(context or {})}}], **(of_pod or {})}


def test_a_pod_that_gives_up_everything_is_admitted() -> None:
    assert restricted.violations(pod()) == ()


@pytest.mark.parametrize(
    ("found", "given"),
    [
        ("hostNetwork is set", pod(of_pod={"hostNetwork": True})),
        ("volume v is a hostPath", pod(of_pod={"volumes": [{"name": "v", "hostPath": {"path": "/"}}]})),
        ("the pod runs as root", pod(of_pod={"securityContext": {"runAsUser": 0}})),
        (
            "sysctl kernel.msgmax",
            pod(of_pod={"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}}),
        ),
        ("c is privileged", pod(context={"privileged": True})),
        ("c may escalate its privileges", pod(context={"allowPrivilegeEscalation": None})),
        ("c keeps capabilities", pod(context={"capabilities": {"drop": ["NET_RAW"]}})),
        ("c adds SYS_ADMIN", pod(context={"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}})),
        ("c may run as root", pod(context={"runAsNonRoot": None})),
        ("c has no seccomp profile", pod(context={"seccompProfile": {}})),
        ("c unmasks /proc", pod(context={"procMount": "Unmasked"})),
        ("c turns AppArmor off", pod(context={"appArmorProfile": {"type": "Unconfined"}})),
        ("c sets the SELinux type spc_t", pod(context={"seLinuxOptions": {"type": "spc_t"}})),
    ],
)
def test_each_freedom_is_found(found: str, given: dict[str, Any]) -> None:
    assert restricted.violations(given) == (found,)


def test_an_init_container_is_checked_too() -> None:
    given = pod(of_pod={"initContainers": [{"name": "i"}]})
    assert "i keeps capabilities" in restricted.violations(given)


def test_what_the_pod_says_counts_for_its_containers() -> None:
    given = pod(of_pod={"securityContext": {"runAsNonRoot": True}}, context={"runAsNonRoot": None})
    del given["containers"][0]["securityContext"]["runAsNonRoot"]
    assert restricted.violations(given) == ()
