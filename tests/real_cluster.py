"""The cluster that end-to-end tests use: the local one, or the reader's own when `MODELOPS_CLUSTER=current` says so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from scheduler.demo.installation import Platform
from scheduler.devcluster import current

LOCAL_ONLY: Final = pytest.mark.skipif(
    current.is_meant(os.environ), reason="about the local cluster, which the reader's own is not"
)
"""For tests that take components of the cluster down, or look at how it was made."""


def kubeconfig() -> Path:
    """Its administrator's kubeconfig; the test fails with the remedy when there is none.

    An ambient `KUBECONFIG` alone is never used: it may name a cluster that is not for tests.
    """
    path = Platform.from_environ(os.environ).kubeconfig
    if not path.is_file():
        pytest.fail(f"no cluster is up (there is no {path}): run `make up`")
    return path
