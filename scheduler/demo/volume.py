"""Puts files on a PersistentVolumeClaim of an environment and gets them back, through a pod that only sleeps.

It works on any cluster, because it needs nothing but `kubectl exec`; the pod meets Pod Security `restricted`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.errors import UnavailableError

_USER: Final = 10001
_TRIES: Final = 5
_END: Final = "end-of-output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A claim that is mounted at /data in a running pod."""

    platform: Platform
    claim: str

    @property
    def pod(self) -> str:
        return f"files-{self.claim}"

    def put(self, path: str, content: bytes) -> None:
        """Write a file below the volume, replacing what was there."""
        target = f"/data/{path}"
        self._exec("sh", "-c", f'cat > "{target}.part" && mv "{target}.part" "{target}"', stdin=content)

    def append(self, path: str, content: bytes) -> None:
        """Write behind the end of a file that is there."""
        self._exec("sh", "-c", f'test -f "/data/{path}" && cat >> "/data/{path}"', stdin=content)

    def rename(self, path: str, new: str) -> None:
        self._exec("mv", f"/data/{path}", f"/data/{new}")

    def get(self, path: str) -> bytes:
        return self._read(f'cat "/data/{path}"')

    def names(self) -> list[str]:
        return self._read("find /data -type f -printf '%P\\n'").decode().split()

    def remove(self, *paths: str) -> None:
        self._exec("rm", "-f", *(f"/data/{path}" for path in paths))

    def _read(self, command: str) -> bytes:
        """All that the shell command writes: on a busy machine `kubectl exec` may lose the end of it, or all of it."""
        for _ in range(_TRIES):
            found = self._exec("sh", "-c", f"{command} && printf {_END}")
            if found.endswith(_END.encode()):
                return found.removesuffix(_END.encode())
        raise UnavailableError(f"pod {self.pod} does not give the whole of what `{command}` writes")

    def _exec(self, *command: str, stdin: bytes = b"") -> bytes:
        return self.platform.kubectl("-n", ENVIRONMENT, "exec", "-i", self.pod, "--", *command, stdin=stdin)


@contextmanager
def mounted(platform: Platform, *, claim: str, size: str, image: str) -> Iterator[Volume]:
    """The claim (made when it is not there, and left behind) in a pod that ends with the context."""
    volume = Volume(platform=platform, claim=claim)
    platform.apply(_claim(claim, size))
    platform.kubectl(
        "-n", ENVIRONMENT, "delete", "pod", volume.pod, "--ignore-not-found", "--grace-period=0", "--force"
    )
    platform.apply(_pod(volume.pod, claim=claim, image=image))
    try:
        platform.kubectl("-n", ENVIRONMENT, "wait", f"pod/{volume.pod}", "--for=condition=Ready", "--timeout=120s")
        yield volume
    finally:
        platform.kubectl(
            "-n", ENVIRONMENT, "delete", "pod", volume.pod, "--ignore-not-found", "--grace-period=0", "--force"
        )


def _claim(name: str, size: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": ENVIRONMENT},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    }


def _pod(name: str, *, claim: str, image: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": ENVIRONMENT},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "fsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "files",
                    "image": image,
                    "command": ["sleep", "86400"],
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "32Mi"},
                        "limits": {"cpu": "1", "memory": "256Mi"},
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                }
            ],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}],
        },
    }
