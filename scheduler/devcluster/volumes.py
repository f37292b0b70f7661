"""The folders behind the cluster's volumes. They outlive everything but `down --purge`; nothing empties one unasked."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from scheduler.devcluster import images, manifests
from scheduler.devcluster.home import Home
from scheduler.devcluster.kubectl import Kubectl


def create(home: Home) -> None:
    """One folder a volume, owned by the user that our images run as: a hostPath ignores fsGroup."""
    for name in manifests.volume_names():
        folder = home.volumes / name
        folder.mkdir(parents=True, exist_ok=True)
        found = folder.stat()
        if (found.st_uid, found.st_gid) != (images.USER, images.USER):
            os.chown(folder, images.USER, images.USER)


def recycle(home: Home, kubectl: Kubectl) -> tuple[str, ...]:
    """Empty every volume whose claim is gone and make it available again; their names. Their content is lost."""
    released = [
        volume["metadata"]["name"]
        for volume in kubectl.get("persistentvolumes")["items"]
        if volume["status"].get("phase") == "Released" and volume["metadata"]["name"] in manifests.volume_names()
    ]
    for name in released:
        _empty(home.volumes / name)
        patch = '[{"op": "remove", "path": "/spec/claimRef"}]'
        kubectl("patch", "persistentvolume", name, "--type=json", f"--patch={patch}")
    return tuple(released)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
