"""Figures of a bench, held against their goals and written as a section of `docs/benchmarks.md`.

The document is its own data: a bench that runs again replaces its section, and the table of goals on top is made from
the sections. Written is what a figure depends on (processors, memory, kernel, versions, date); no host name, no path.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_HEAD: Final = """\
# Benchmarks

`make bench` measures and writes this page, whole or one bench at a time (`make bench ONLY=serving`); do not edit by
hand. `make test` runs each bench in a small form and checks its answers, never its times. Ratios are against a peer
that ran in the same minute on the same cores. A goal that was missed says so.

"""
_COLUMNS: Final = ("figure", "measured", "goal", "reached")
_RULE: Final = "| --- | ---: | ---: | --- |"
_ORDER: Final = (
    "No-op job",
    "Submit",
    "List",
    "Flow",
    "PMML",
    "Scoring server",
    "Pre-processing",
    "IR",
    "Command line",
)
"""Sections come in the order of the first words of their titles; others follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    what: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_reached(self) -> bool | None:
        """None without a goal."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return None if self.at_least is None else self.value >= self.at_least

    def row(self) -> str:
        goal = ""
        if self.at_most is not None:
            goal = f"≤ {number(self.at_most)} {self.unit}"
        if self.at_least is not None:
            goal = f"≥ {number(self.at_least)} {self.unit}"
        reached = {None: "", True: "yes", False: "**no**"}[self.is_reached]
        return f"| {self.what} | {number(self.value)} {self.unit} | {goal.rstrip()} | {reached} |"


@dataclass(slots=True, kw_only=True)
class Bench:
    """What one bench has to say. `is_full`: the figures are meant; otherwise only the answers are checked."""

    is_full: bool
    title: str = ""
    about: str = ""
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    """Of programs and libraries beside Python that the figures depend on."""

    def of(self, title: str, about: str, **versions: str) -> None:
        """What is measured, in a title and a paragraph."""
        self.title, self.about = title, about
        self.versions.update(versions)

    def size(self, *, short: int, full: int) -> int:
        return full if self.is_full else short

    def figure(
        self, what: str, value: float, unit: str, *, at_most: float | None = None, at_least: float | None = None
    ) -> None:
        found = Figure(what=what.replace("|", "/"), value=value, unit=unit, at_most=at_most, at_least=at_least)
        self.figures.append(found)
        print(f"\n{found.row()}", end="", flush=True)

    def note(self, text: str) -> None:
        """Markdown below the figures."""
        self.notes.append(text)
        print(f"\n{text}", end="", flush=True)

    def section(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in {"Python": _python(), **self.versions}.items())
        rows = [figure.row() for figure in self.figures]
        parts = [
            f"## {self.title}",
            self.about,
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {machine()}; {versions}.",
            "\n".join([_row(_COLUMNS), _RULE, *rows]),
            *self.notes,
        ]
        return "\n\n".join(parts)


def write(bench: Bench, file: Path = FILE) -> None:
    """Put the bench's section in place of its earlier one."""
    sections = sections_of(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text({**sections, bench.title: bench.section()}), encoding="utf-8")


def text(sections: Mapping[str, str]) -> str:
    """The whole document."""
    ordered = [sections[title] for title in sorted(sections, key=_place)]
    return _HEAD + "\n\n".join([_goals(ordered), *ordered]) + "\n"


def sections_of(document: str) -> dict[str, str]:
    """Title to section, as `text` put them together; the table of goals is left out."""
    parts = [part.strip() for part in re.split(r"^(?=## )", document, flags=re.MULTILINE)[1:]]
    titled = {part.partition("\n")[0].removeprefix("## "): part for part in parts}
    return {title: part for title, part in titled.items() if title != "Goals"}


def machine() -> str:
    """What the figures depend on: processors, memory, kernel."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{os.cpu_count()} CPUs ({_processor()}), {memory:.0f} GiB, {platform.system()} {platform.release()}"


def number(value: float) -> str:
    """Three digits that count, thousands apart.

    >>> [number(value) for value in (0.12345, 3.0, 12.34, 336776.2)]
    ['0.123', '3', '12.3', '336,776']
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _goals(sections: Iterable[str]) -> str:
    rows = []
    for section in sections:
        title = section.partition("\n")[0].removeprefix("## ")
        for line in section.splitlines():
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            if len(cells) == len(_COLUMNS) and cells[3] in {"yes", "**no**"}:
                rows.append(_row((f"{title}: {cells[0]}", *cells[1:])))
    return "\n".join(["## Goals", "", _row(_COLUMNS), _RULE, *rows])


def _place(title: str) -> tuple[int, str]:
    return next((place for place, word in enumerate(_ORDER) if title.startswith(word)), len(_ORDER)), title


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _python() -> str:
    return platform.python_version()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return re.sub(r"\s+", " ", value.strip())
    return platform.machine()
