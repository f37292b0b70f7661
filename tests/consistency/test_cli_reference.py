import re

import pytest
import typer

from scheduler.cli import app
from tests.consistency import cli_reference

PATHS = list(cli_reference.paths(typer.main.get_command(app.app)))


def test_the_reference_is_what_the_commands_say() -> None:
    assert cli_reference.FILE.read_text() == cli_reference.text()


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_says_what_it_does_and_has_an_example(path: tuple[str, ...]) -> None:
    shown = cli_reference.help_of(path)
    if any(other[: len(path)] == path and other != path for other in PATHS):
        return  # a group's commands have them
    assert f"  modelops {' '.join(path)}" in shown.split("Examples:")[1]


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_option_is_described(path: tuple[str, ...]) -> None:
    options = cli_reference.help_of(path).split("Options:")[1].split("Examples:")[0]
    alone = [line for line in options.splitlines() if re.fullmatch(r"  (-., )?--\S+( \S+)?", line)]
    following = options.splitlines()
    undescribed = [line for line in alone if not following[following.index(line) + 1].startswith(" " * 10)]
    assert undescribed == []
