"""A kubectl that answers from a script and writes down what it was asked."""

from __future__ import annotations

from pathlib import Path

from scheduler.devcluster.kubectl import Kubectl


def scripted(folder: Path, script: str) -> tuple[Kubectl, Path]:
    """The kubectl and the file of its command lines; `script` is the shell text that answers."""
    folder.mkdir(parents=True, exist_ok=True)
    program, asked = folder / "kubectl", folder / "asked"
    program.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n{script}\n')
    program.chmod(0o755)
    return Kubectl(program=program), asked
