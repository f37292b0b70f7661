"""Where tests find the programs beside Python; the absence of one is a failure, never a reason to skip."""

from __future__ import annotations

import os
import shutil

import pytest

from scheduler.devcluster.home import Home


def helm() -> str:
    """MODELOPS_HELM, else helm on PATH, else the one that the local cluster built."""
    return _found("helm", "MODELOPS_HELM")


def bento() -> str:
    """MODELOPS_BENTO, else bento on PATH, else the one that the local cluster built."""
    return _found("bento", "MODELOPS_BENTO")


def _found(name: str, variable: str) -> str:
    built = Home.from_environ(os.environ).bin / name
    found = os.environ.get(variable) or shutil.which(name) or shutil.which(str(built))
    if not found:
        pytest.fail(f"no {name}: `make up` builds it, or name one in {variable}")
    return found
