"""Sub-charts of others: where they are, and how one comes to the project's charts by the guide's two steps."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scheduler import assets
from scheduler.assembly import folder

NAME: Final = "scoring-server-linear-csv"
MODEL_TYPE: Final = "linear-csv"
IMAGES: Final = ("linear-csv-app", NAME)
"""What it builds, in that order."""
FOLDER: Final = assets.CHECKOUT / "tests" / "third-party" / NAME
GUIDE: Final = assets.CHECKOUT / "docs" / "sub-charts.md"
FAILING: Final = FOLDER.with_name("builds-that-fail")
"""A sub-chart with nothing but builds, most of which fail."""
_IGNORED: Final = shutil.ignore_patterns("__pycache__")


def entry(name: str) -> str:
    return f"""\
  - name: {name}
    version: 0.1.0
    repository: file://../subcharts/{name}
    condition: {name}.enabled
"""


ENTRY: Final = entry(NAME)


def add(charts: Path, chart: Path = FOLDER) -> None:
    """One chart folder and one dependency entry; then what follows from them is made."""
    shutil.copytree(chart, charts / "subcharts" / chart.name, ignore=_IGNORED)
    platform = charts / "modelops" / "Chart.yaml"
    platform.write_text(platform.read_text() + entry(chart.name))
    folder.assemble(charts)


def tree(root: Path, chart: Path = FOLDER) -> Path:
    """A copy of everything that images and charts are made from, with the sub-chart in it."""
    for name in ("charts", "ir-schemas", "scheduler", "tekton"):
        shutil.copytree(assets.CHECKOUT / name, root / name, symlinks=True, ignore=_IGNORED)
    shutil.copy(assets.CHECKOUT / "pyproject.toml", root)
    add(root / "charts", chart)
    return root


def commands() -> tuple[tuple[str, ...], ...]:
    """The words of each command that the guide prints, in its order."""
    (block,) = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    return tuple(tuple(shlex.split(line, comments=True)) for line in block.splitlines())


def environment(root: Path) -> Mapping[str, str]:
    """What the guide's commands export when they are typed in `root`."""
    exported = (word for command in commands() if command[0] == "export" for word in command[1:])
    return {name: value.replace("$PWD", str(root)) for name, _, value in (word.partition("=") for word in exported)}


def command(*beginning: str, given: Mapping[str, str]) -> tuple[str, ...]:
    """The guide's command that begins so, with what stands in `given` for a word of it."""
    (found,) = [one for one in commands() if one[: len(beginning)] == beginning]
    return tuple(given.get(word, word) for word in found)
