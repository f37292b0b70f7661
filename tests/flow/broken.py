"""A build of the engine that loses, doubles and miscounts when a step's name asks for it (faults/fault.go).

It also lists what Bloblang has to offer (faults/catalog.go).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scheduler import command
from scheduler.devcluster import go, toolchain
from scheduler.devcluster.home import Home
from scheduler.golang import compiler as golang

ADDED: Final = Path(__file__).parent / "faults"
"""Go files that only this build has."""
_BUILD_SECONDS: Final = 840

_COUNT: Final = "		if err := s.flow.end(record, &s.flow.written); err != nil {\n"
_LINE: Final = (
    "		line, counted := faultyLine(record, line)\n		if !counted {\n			return nil\n		}\n"
)
_CLOSED: Final = "	if s.flow.ctx.Err() == nil {\n		s.flow.mutex.Lock()\n"
_CUT: Final = "	if err := faultyClose(s.records.path); err != nil {\n		s.failed(err)\n	}\n"
_EDITS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "environment.go": (("flow.newMap}", "flow.newFaultyMap}"),),
    "sink.go": (
        (_COUNT, _LINE + _COUNT),
        (_CLOSED, _CUT + _CLOSED.replace("== nil {", '== nil && faultKind != "never-closed" {')),
    ),
}
"""Where the faults take hold: pieces of the engine's own text, each there exactly once."""


def build(folder: Path) -> Path:
    """The broken program, built in `folder`; nothing of the engine's own folder is changed."""
    sources = toolchain.BENTO.folder
    overlay = {str(sources / added.name): str(added) for added in sorted(ADDED.glob("*.go"))}
    for name, edits in _EDITS.items():
        text = (sources / name).read_text()
        for before, after in edits:
            if text.count(before) != 1:
                raise AssertionError(f"{name} has changed: {text.count(before)} times {before!r}")
            text = text.replace(before, after)
        (folder / name).write_text(text)
        overlay[str(sources / name)] = str(folder / name)
    (folder / "overlay.json").write_text(json.dumps({"Replace": overlay}))
    program = folder / "bento"
    compiler = go.find(Home.from_environ(os.environ), print)
    laid_over = ("-overlay", folder / "overlay.json", "-o", program, ".")
    words: list[str | Path] = [compiler, "build", *toolchain.flags(toolchain.BENTO), *laid_over]
    command.run(words, limit_seconds=_BUILD_SECONDS, environ=golang.ENVIRON, folder=sources)
    return program
