"""The Go that builds the cluster's programs: the machine's, or one of our own in the cluster's folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scheduler.devcluster import toolchain
from scheduler.devcluster.home import Home
from scheduler.golang import finding


def find(home: Home, tell: Callable[[str], None]) -> Path:
    """A Go at least as new as every program's go.mod asks for."""
    return finding.find([program.folder for program in toolchain.programs()], finding.Place(folder=home.go), tell)
