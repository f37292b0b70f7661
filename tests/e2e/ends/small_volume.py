"""A volume that is full after a few kilobytes: a file system in memory, below the local cluster's volumes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.devcluster.home import Home

CLAIM: Final = "e2e-small"
_USER: Final = 10001
_NAME: Final = f"{CLAIM}-{ENVIRONMENT}"
"""Of the PersistentVolume and its folder: there may be one for each environment."""
_SIZE: Final = "16k"


@contextmanager
def present(platform: Platform) -> Iterator[Path]:
    """The claim `CLAIM` in the environment, and the folder behind it on this machine, until the context ends."""
    folder = Home.from_environ(os.environ).volumes / _NAME
    _remove(platform, folder)
    folder.mkdir(parents=True)
    options = f"size={_SIZE},uid={_USER},gid={_USER},mode=0755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, _NAME, str(folder)], check=True, timeout=30)
    try:
        platform.apply(_volume(folder), _claim())
        yield folder
    finally:
        _remove(platform, folder)


def _remove(platform: Platform, folder: Path) -> None:
    gone = ("--ignore-not-found", "--timeout=60s")
    platform.kubectl("delete", "persistentvolumeclaim", CLAIM, "-n", ENVIRONMENT, *gone)
    platform.kubectl("delete", "persistentvolume", _NAME, *gone)
    if folder.is_mount():
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=30)
    if folder.exists():
        folder.rmdir()


def _volume(folder: Path) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": _NAME},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Mi"},
            "claimRef": {"namespace": ENVIRONMENT, "name": CLAIM},
            "hostPath": {"path": str(folder), "type": "Directory"},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
        },
    }


def _claim() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM, "namespace": ENVIRONMENT},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
            "storageClassName": "",
            "volumeName": _NAME,
        },
    }
