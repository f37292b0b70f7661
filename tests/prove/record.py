"""Writes what proofs have seen into `docs/proofs.md`: one line a proof, its last run only.

The file is its own data: a proof that runs again replaces its line and leaves the others as they are. No host name and
no path of a machine is written.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).parents[2] / "docs" / "proofs.md"
_HEAD: Final = """\
# Proofs

What is too long for `make test` has a short form there and its full form here: `make prove` runs `tests/prove/`, and
each proof writes what it saw (`tests/prove/record.py`; do not edit by hand). The date says how old a proof is. The same
seed gives the same moments.

"""
_COLUMNS: Final = ("proof", "seen", "seeds", "date", "machine")
_RULE: Final = "| " + " | ".join("---" for _ in _COLUMNS) + " |"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One line of the table."""

    proof: str
    """What was tried, in one sentence: the line's key."""
    figure: str
    """What came out, with its numbers and units."""
    seeds: str
    date: str
    machine: str


def write(proof: str, figure: str, *, seeds: Sequence[int] = (), file: Path = FILE) -> None:
    """Put the proof's line into the table, in place of its earlier one. Several processes may do so at once."""
    seen = Seen(
        proof=_cell(proof),
        figure=_cell(figure),
        seeds=", ".join(map(str, seeds)) or "none",
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        machine=machine(),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.seek(0)
        kept = {line.proof: line for line in parse(handle.read())}
        handle.truncate(0)
        handle.write(text({**kept, seen.proof: seen}.values()))


def text(lines: Iterable[Seen]) -> str:
    """The whole document, its lines by their proof."""
    rows = [_row(astuple(line)) for line in sorted(lines, key=lambda line: line.proof)]
    return _HEAD + "\n".join([_row(_COLUMNS), _RULE, *rows]) + "\n"


def parse(document: str) -> tuple[Seen, ...]:
    """The lines of a document that `text` made; ValueError for a line with other columns."""
    rows = [line for line in document.splitlines() if line.startswith("| ")][2:]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    return tuple(
        Seen(proof=proof, figure=figure, seeds=seeds, date=date, machine=where)
        for proof, figure, seeds, date, where in cells
    )


def machine() -> str:
    """What the figures depend on: CPUs, memory, kernel."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{len(os.sched_getaffinity(0))} CPUs, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: str) -> str:
    return " ".join(value.split()).replace("|", r"\|")
