"""The table of values in each chart's README.md, made from the `# --` comments of its values.yaml.

`python -m tests.consistency.chart_readme` writes the tables anew; a test compares.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler import assets

BEGIN: Final = "<!-- values: written by `python -m tests.consistency.chart_readme` -->"
END: Final = "<!-- end of values -->"
_KEY: Final = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z0-9._/-]+):")
_COMMENT: Final = re.compile(r" *# ?(?P<text>.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    path: tuple[str, ...]
    description: str
    default: Any


def charts() -> tuple[Path, ...]:
    subcharts = sorted(path.parent for path in (assets.charts() / "subcharts").glob("*/values.yaml"))
    return (assets.charts() / "modelops", *subcharts)


def rows(text: str) -> tuple[Row, ...]:
    """One row per described value, in the order of the file."""
    values = yaml.safe_load(text) or {}
    return tuple(Row(path=path, description=words, default=_at(values, path)) for path, words in _described(text))


def undescribed(text: str) -> tuple[str, ...]:
    """Paths of values that neither they nor anything above them describes."""
    described = [row.path for row in rows(text)]
    leaves = _leaves(yaml.safe_load(text) or {}, ())
    return tuple(".".join(leaf) for leaf in leaves if not any(leaf[: len(path)] == path for path in described))


def table(text: str) -> str:
    lines = ["| value | default | description |", "|---|---|---|"]
    for row in rows(text):
        default = json.dumps(row.default).replace("|", "\\|")
        lines.append(f"| `{'.'.join(row.path)}` | `{default}` | {row.description.replace('|', chr(92) + '|')} |")
    return "\n".join(lines)


def written(chart: Path) -> str:
    """The README with its table as it should be; ValueError when the README has no place for one."""
    readme = (chart / "README.md").read_text()
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{chart.name}/README.md needs the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table((chart / 'values.yaml').read_text())}\n\n{END}{after}"


def _described(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    above: list[tuple[int, str]] = []
    words: list[str] = []
    for line in text.splitlines():
        comment, key = _COMMENT.fullmatch(line), _KEY.match(line)
        if comment is not None:
            said = comment["text"]
            words = [said.removeprefix("-- ")] if said.startswith("-- ") else [*words, said] if words else []
        elif key is not None:
            indent = len(key["indent"])
            above = [*((depth, name) for depth, name in above if depth < indent), (indent, key["key"])]
            if words:
                yield tuple(name for _, name in above), " ".join(words)
            words = []
        else:
            words = []


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            yield from _leaves(child, (*path, str(key)))
    else:
        yield path


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        values = values[key]
    return values


def main() -> None:
    for chart in charts():
        (chart / "README.md").write_text(written(chart))


if __name__ == "__main__":
    main()
