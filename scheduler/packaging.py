"""How a wheel is made: it carries what a checkout has beside the package. Used by setuptools, never by the product.

Setuptools loads this file by its path, before there is a package: nothing of `scheduler` can be imported here.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from setuptools.command.build_py import build_py

_CHECKOUT: Final = Path(__file__).resolve().parent.parent
_CARRIED: Final = Path("scheduler", "_assets")
"""`assets.CARRIED`"""
_FOLDERS: Final = ("charts", "ir-schemas", "tekton")
_LEFT_OUT: Final = shutil.ignore_patterns("examples", "*.tgz", "Chart.lock", "__pycache__")


class BuildWithAssets(build_py):  # type: ignore[misc]  # setuptools is no part of the environment that runs us
    """The package with its assets inside; links between charts become copies. An editable install needs neither."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / _CARRIED
        shutil.rmtree(target, ignore_errors=True)
        for name in _FOLDERS:
            shutil.copytree(_CHECKOUT / name, target / name, ignore=_LEFT_OUT)

    def get_source_files(self) -> list[str]:
        """What a source distribution needs to make the same wheel."""
        found = (os.walk(_CHECKOUT / name, followlinks=True) for name in _FOLDERS)
        files = [Path(folder, name) for walked in found for folder, _, names in walked for name in names]
        return [*super().get_source_files(), *(str(path.relative_to(_CHECKOUT)) for path in files)]
