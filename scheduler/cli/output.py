"""What the command prints: tables for people, JSON or YAML for programs; errors on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final, TextIO

import typer
import yaml
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scheduler.errors import InvalidInputError, SchedulerError


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


Output = Annotated[
    Format, typer.Option("--output", "-o", help="table for people, json or yaml for programs.", show_default=True)
]
_KEPT: Final = {"\n", "\t"}
# C0, DEL and C1: what moves the cursor, changes colours or answers back on a terminal
_CONTROLS: Final = {code: None for code in (*range(32), 127, *range(128, 160)) if chr(code) not in _KEPT}
# text that flows the other way round hides what it says
_CONTROLS_OF_DIRECTION: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))


def clean(text: str) -> str:
    """`text` without characters that do something to a terminal; lines and tabs stay.

    >>> clean("a\\x1b[31mb\\r\\n")
    'a[31mb\\n'
    """
    return text.translate(_CONTROLS | _CONTROLS_OF_DIRECTION)


def write(text: str, stream: TextIO | None = None) -> None:
    """A line of text; cleaned when it goes to a terminal, as it is when it goes to a program."""
    target = stream or sys.stdout
    target.write((clean(text) if target.isatty() else text) + "\n")
    target.flush()


def value(found: object, form: Format) -> None:
    """A value for programs."""
    if form is Format.YAML:
        write(yaml.safe_dump(_plain(found), sort_keys=False, allow_unicode=True, width=120).rstrip())
    else:
        write(json.dumps(_plain(found), indent=2, ensure_ascii=False))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for people: as wide as its content when it goes to a program."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        drawn.add_column(Text(column), overflow="fold")
    for row in rows:
        drawn.add_row(*(cell(item) for item in row))
    _draw(drawn)


def pairs(items: Iterable[tuple[str, object]]) -> None:
    """Names and values, one under the other; those without a value are left out."""
    drawn = Table.grid(padding=(0, 2))
    drawn.add_column()
    drawn.add_column(overflow="fold")
    for name, item in items:
        if item not in (None, "", (), [], {}):
            drawn.add_row(Text(name, style="bold"), cell(item))
    _draw(drawn)


def _draw(drawn: Table) -> None:
    """On a terminal as wide as that; for a program without the blanks that end rich's lines."""
    target = console()
    with target.capture() as captured:
        target.print(drawn)
    for line in captured.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")


def cell(item: object) -> Text:
    """Text that is never read as markup."""
    return Text(clean(shown(item)))


def shown(item: object) -> str:
    """A value in words: numbers with thousands, mappings as `a=1 b=2`, nothing as `-`."""
    match item:
        case None | "":
            words = "-"
        case bool():
            words = "yes" if item else "no"
        case int():
            words = f"{item:,}"
        case float():
            words = f"{item:,.1f}"
        case Mapping():
            words = " ".join(f"{key}={found}" for key, found in item.items())
        case list() | tuple():
            words = ", ".join(str(found) for found in item)
        case _:
            words = str(item)
    return words


def note(text: str) -> None:
    """Something that is no result: on standard error."""
    write(text, sys.stderr)


def error(fault: SchedulerError) -> None:
    """An error in the reader's words, every problem of it."""
    if isinstance(fault, InvalidInputError):
        note(f"error: {fault.summary}")
        for problem in fault.problems:
            note(f"  {problem}")
    else:
        note(f"error: {fault}")


def console(stream: TextIO | None = None) -> Console:
    target = stream or sys.stdout
    return Console(file=target, highlight=False, soft_wrap=False, width=None if target.isatty() else 200)


def _plain(found: object) -> object:
    """Mappings and sequences of any kind as the ones that JSON and YAML know."""
    if isinstance(found, Mapping):
        return {str(key): _plain(item) for key, item in found.items()}
    if isinstance(found, list | tuple):
        return [_plain(item) for item in found]
    return found
