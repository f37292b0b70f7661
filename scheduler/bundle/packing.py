"""Packs charts as helm does, with their sub-charts inside; equal charts, equal bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from typing import Final

import yaml

from scheduler.images import context

_LEFT_OUT: Final = frozenset({"build", "ci"})
"""Folders of a chart that its .helmignore leaves out too."""


def pack(chart: Path) -> tuple[str, bytes]:
    """(file name, content) of a chart's archive; links to sub-charts become their files."""
    metadata = yaml.safe_load((chart / "Chart.yaml").read_text())
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for file in sorted(context.walk(chart)):
            path = file.relative_to(chart)
            if not _LEFT_OUT & set(path.parts[:-1]):
                archive.addfile(*_entry(f"{metadata['name']}/{path.as_posix()}", file))
    return f"{metadata['name']}-{metadata['version']}.tgz", packed.getvalue()


def _entry(name: str, file: Path) -> tuple[tarfile.TarInfo, io.BytesIO]:
    content = file.read_bytes()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644
    return entry, io.BytesIO(content)
