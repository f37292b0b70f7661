"""Where schemas, charts, Tekton manifests and build contexts lie: in a checkout, a wheel or an image."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parent.parent
CARRIED: Final = Path(__file__).resolve().parent / "_assets"
"""Where a wheel has them; a checkout has no such folder."""


def root() -> Path:
    """The folder with `charts/`, `tekton/` and `ir-schemas/`: `MODELOPS_ASSETS`, the wheel's or the checkout."""
    given = os.environ.get("MODELOPS_ASSETS", "")
    if given:
        return Path(given)
    return CARRIED if CARRIED.is_dir() else CHECKOUT


def ir_schemas() -> Path:
    return root() / "ir-schemas" / "v1"


def charts() -> Path:
    return root() / "charts"


def subchart(name: str) -> Path:
    return charts() / "subcharts" / name


def tekton() -> Path:
    return root() / "tekton"


def program(name: str) -> str:
    """Where a program is: what `MODELOPS_<NAME>` says, or what our PATH finds; `name` itself when neither knows.

    A path, because a child that is started with an empty environment has no PATH to look in.
    """
    wanted = os.environ.get(f"MODELOPS_{name.upper()}", "") or name
    return shutil.which(wanted) or wanted
