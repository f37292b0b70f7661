"""The sub-chart of another author: where it is, and how it comes to the project's charts by the guide's two steps."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from scheduler import assets
from scheduler.assembly import folder

NAME: Final = "scoring-server-linear-csv"
MODEL_TYPE: Final = "linear-csv"
IMAGES: Final = ("linear-csv-app", NAME)
"""What it builds, in that order."""
FOLDER: Final = assets.CHECKOUT / "tests" / "third-party" / NAME
ENTRY: Final = f"""\
  - name: {NAME}
    version: 0.1.0
    repository: file://../subcharts/{NAME}
    condition: {NAME}.enabled
"""


_IGNORED: Final = shutil.ignore_patterns("__pycache__")


def add(charts: Path) -> None:
    """One chart folder and one dependency entry; then what follows from them is made."""
    shutil.copytree(FOLDER, charts / "subcharts" / NAME, ignore=_IGNORED)
    platform = charts / "modelops" / "Chart.yaml"
    platform.write_text(platform.read_text() + ENTRY)
    folder.assemble(charts)


def tree(root: Path) -> Path:
    """A copy of everything that images and charts are made from, with the sub-chart in it."""
    for name in ("charts", "ir-schemas", "scheduler", "tekton"):
        shutil.copytree(assets.CHECKOUT / name, root / name, symlinks=True, ignore=_IGNORED)
    shutil.copy(assets.CHECKOUT / "pyproject.toml", root)
    add(root / "charts")
    return root
