import io
import json

import pytest
import yaml

from scheduler.cli import output
from scheduler.cli.output import Format


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "text", ["\x1b]0;title\x07", "\x1b[2J", "\x9b31m", "a\rb", "\x08\x7f", "\u202eevil", "\u2066x\u2069", "\0"]
)
def test_nothing_that_moves_a_terminal_reaches_it(text: str) -> None:
    terminal = Terminal()
    output.write(f"a\t{text}\nb", terminal)
    written = terminal.getvalue()
    assert written.startswith("a\t")
    assert not any(ord(sign) < 32 and sign not in "\n\t" for sign in written)
    assert not any(sign in written for sign in "\x7f\x9b\u202e\u2066\u2069")


def test_a_program_gets_the_text_as_it_is() -> None:
    stream = io.StringIO()
    output.write("a\x1b[31mb", stream)
    assert stream.getvalue() == "a\x1b[31mb\n"


def test_tables_are_not_read_as_markup_and_hold_no_controls(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(["NAME"], [["[red]x[/red]"], ["\x1b[31my"]])
    shown = capsys.readouterr().out
    assert "[red]x[/red]" in shown
    assert "\x1b" not in shown


def test_lines_of_a_table_do_not_end_with_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(["A", "B"], [["1", ""], ["long text", "2"]])
    output.pairs([("name", "value"), ("nothing", None)])
    shown = capsys.readouterr().out
    assert all(line == line.rstrip() for line in shown.splitlines())
    assert "nothing" not in shown


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        (None, "-"),
        ("", "-"),
        (1234567, "1,234,567"),
        (0, "0"),
        (1234.56, "1,234.6"),
        (True, "yes"),
        ({"a": 1, "b": "x"}, "a=1 b=x"),
        (("a", 1), "a, 1"),
    ],
)
def test_values_are_shown_in_words(item: object, shown: str) -> None:
    assert output.shown(item) == shown


@pytest.mark.parametrize(("form", "parse"), [(Format.JSON, json.loads), (Format.YAML, yaml.safe_load)])
def test_values_for_programs_come_back_as_they_were(
    capsys: pytest.CaptureFixture[str], form: Format, parse: object
) -> None:
    value = {"a": [1, {"b": None}], "text": "é: '\x1b", "yes": "no"}
    output.value(value, form)
    assert parse(capsys.readouterr().out) == value  # type: ignore[operator]
